import type { Db } from './db.ts';
import { Prisma } from './prisma/client.ts';

/**
 * Ends subscriptions whose agreed number of periods is over, or that were cancelled to the end of a period, and tells of
 * it. While one of their invoices is still being collected, or waits for a person, they stay live, so that its attempts
 * may go; the tick looks again within the hour. Returns of how many either was seen.
 */
export async function endSubscriptions(db: Db, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  const [row] = await db.$queryRaw<{ seen: number }[]>`
    WITH over AS MATERIALIZED (
      SELECT s.id, ${IS_COLLECTED} AS collecting FROM subscription s
       WHERE s.id = ANY(${[...ids]}::uuid[]) AND s.status IN ('trialing', 'active', 'past_due')
         AND ${ENDS_AT} <= maedal_now() AND ${IS_LAST}
       ORDER BY s.id FOR NO KEY UPDATE OF s SKIP LOCKED
    ), moved AS (
      UPDATE subscription s SET last_drawn_at = maedal_now(), updated_at = maedal_now(),
             status = CASE WHEN over.collecting THEN s.status ELSE 'canceled' END,
             canceled_at = CASE WHEN NOT over.collecting THEN maedal_now() END,
             next_due_at = CASE WHEN over.collecting THEN maedal_now() + interval '1 hour' END
        FROM over WHERE s.id = over.id RETURNING s.id, s.external_id, s.status
    ), ${TOLD}
    SELECT count(*)::integer AS seen FROM moved`;
  return row?.seen ?? 0;
}

/**
 * Ends subscriptions that were given up on, or paused, before the end of their last period came, agreed or cancelled to:
 * nothing is drawn up for them, so the tick does not come upon them. They stay as they are while one of their invoices
 * waits for a person, for what is held is still owed; not so what was given up on and then cancelled. Tells of it, and
 * returns how many ended.
 */
export async function endStopped(db: Db): Promise<number> {
  const [row] = await db.$queryRaw<{ ended: number }[]>`
    WITH over AS MATERIALIZED (
      SELECT s.id FROM subscription s
       WHERE ${STOPPED_TO_END} AND ${ENDS_AT} <= maedal_now()
       ORDER BY s.id FOR NO KEY UPDATE OF s SKIP LOCKED
    ), moved AS (
      UPDATE subscription s SET status = 'canceled', canceled_at = maedal_now(), next_due_at = NULL, updated_at = maedal_now()
        FROM over WHERE s.id = over.id RETURNING s.id, s.external_id, s.status
    ), ${TOLD}
    SELECT count(*)::integer AS ended FROM moved`;
  return row?.ended ?? 0;
}

/** Whether an invoice of the subscription `s` is still being collected, or waits for a person. */
const IS_COLLECTED = Prisma.sql`EXISTS (SELECT FROM invoice i WHERE i.subscription_id = s.id
       AND i.state IN ('open', 'retrying', 'held', 'review'))`;

/** Whether the next period of the subscription `s` is not to be: it was cancelled to an end, or all that were agreed have begun. */
const IS_LAST = Prisma.sql`(s.cancel_at IS NOT NULL OR s.next_period >= s.first_period + s.ends_after)`;

/** When the subscription `s` ends, if its next period is not to be: one that had begun when it was cancelled runs to its own end. */
export const ENDS_AT = Prisma.sql`greatest(s.next_due_at, s.cancel_at)`;

/** Whether the subscription `s` ends although nothing is drawn up for it, once its next period would begin. */
export const STOPPED_TO_END = Prisma.sql`s.status IN ('unpaid', 'paused') AND ${IS_LAST}
         AND ((s.status = 'unpaid' AND s.cancel_at IS NOT NULL) OR NOT ${IS_COLLECTED})`;

/** Tells of those that `moved` ended. */
const TOLD = Prisma.sql`told AS (
      INSERT INTO outbox (kind, subscription_id, payload, next_at)
      SELECT 'subscription.canceled', moved.id, jsonb_build_object('subscription_id', moved.external_id), maedal_now()
        FROM moved WHERE moved.status = 'canceled'
    )`;
