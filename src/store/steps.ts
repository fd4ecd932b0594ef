import { AWAITING_CARD } from '../billing/invoice.ts';
import type { Db } from './db.ts';
import { Prisma } from './prisma/client.ts';

/**
 * Has up to `limit` declined invoices enter the next step of their policy, the longest due first: its name is kept with the
 * invoice, it is told of, and changes access, all in one statement, so that each is entered once, whatever steps the policy
 * gets. One of a subscription at a time; none while it is not charged, and none for what was refused for the merchant's own
 * account last. A try that is planned within a day of the step, due, rung or under way goes before it; one that is put off
 * does not. Returns how many were due.
 */
export async function enterSteps(db: Db, limit: number): Promise<number> {
  const [row] = await db.$queryRaw<{ entered: number }[]>`
    WITH due AS MATERIALIZED (
      SELECT DISTINCT ON (i.subscription_id) i.id, i.subscription_id, i.entered_steps FROM (
        SELECT invoice.* FROM invoice JOIN subscription ON subscription.id = invoice.subscription_id
         WHERE ${STEP_DUE}
         ORDER BY step_at, invoice.id LIMIT ${limit}) i
       ORDER BY i.subscription_id, i.step_at, i.id
    ), s AS MATERIALIZED (
      SELECT subscription.id, subscription.external_id FROM subscription JOIN due ON due.subscription_id = subscription.id
       ORDER BY subscription.id FOR NO KEY UPDATE OF subscription SKIP LOCKED
    ), i AS MATERIALIZED (
      SELECT invoice.id, invoice.state, invoice.due_at, invoice.policy_version_id, invoice.entered_steps, invoice.step_day, invoice.step_access,
             s.id AS subscription_id, s.external_id
        FROM invoice JOIN due ON due.id = invoice.id JOIN s ON s.id = due.subscription_id
       WHERE invoice.state = 'retrying' AND invoice.step_at <= maedal_now() AND invoice.entered_steps = due.entered_steps
         FOR NO KEY UPDATE OF invoice
    ), next AS MATERIALIZED (
      SELECT i.*, step, i.due_at + make_interval(days => (step ->> 'afterDays')::integer) AS at
        FROM i CROSS JOIN LATERAL (SELECT maedal_next_step(i.policy_version_id, i.entered_steps, i.step_day) AS step) n
    ), entered AS MATERIALIZED (
      -- By now its policy may have the step on a later day: then it waits for that.
      SELECT next.id, next.state, next.subscription_id, next.external_id, step ->> 'name' AS name, (step ->> 'afterDays')::integer AS day, step ->> 'access' AS access,
             -- Only a payment gives back what was taken away.
             CASE WHEN step_access = 'suspended' THEN step_access ELSE coalesce(step ->> 'access', step_access) END AS leaves
        FROM next WHERE at <= maedal_now()
    ), moved AS (
      UPDATE invoice SET updated_at = maedal_now(),
             entered_steps = CASE WHEN e.id IS NULL THEN invoice.entered_steps ELSE invoice.entered_steps || e.name END,
             step_day = coalesce(e.day, invoice.step_day), step_access = coalesce(e.leaves, invoice.step_access),
             step_at = CASE WHEN e.id IS NULL THEN next.at ELSE invoice.due_at + make_interval(days =>
               (maedal_next_step(invoice.policy_version_id, invoice.entered_steps || e.name, e.day) ->> 'afterDays')::integer) END
        FROM next LEFT JOIN entered e ON e.id = next.id WHERE invoice.id = next.id
      RETURNING invoice.id, invoice.period_key, invoice.entered_steps
    ), access AS (
      -- Of several unpaid invoices the strictest counts.
      UPDATE subscription SET updated_at = maedal_now(), access = (ARRAY['full', 'grace', 'suspended'])[
               greatest(maedal_invoice_strictness(e.id, e.state, e.leaves), maedal_access_level(e.subscription_id, e.id))] FROM entered e
       WHERE subscription.id = e.subscription_id AND subscription.status = 'past_due' AND e.access IS NOT NULL
    ), told AS (
      INSERT INTO outbox (kind, subscription_id, invoice_id, payload, next_at)
      SELECT 'dunning.step_entered', e.subscription_id, e.id, jsonb_build_object('subscription_id', e.external_id, 'invoice_id', e.id,
               'period', moved.period_key, 'step', e.name, 'number', cardinality(moved.entered_steps), 'access', e.access), maedal_now()
        FROM entered e JOIN moved ON moved.id = e.id
    )
    SELECT count(*)::integer AS entered FROM moved`;
  return row?.entered ?? 0;
}

/** Whether the declined `invoice` enters its next step as soon as the day of that has come. */
export const ENTERS_STEPS = Prisma.sql`invoice.state = 'retrying' AND invoice.step_at IS NOT NULL AND maedal_last_decline(invoice.id) IS DISTINCT FROM 'config'
           AND (invoice.reason = ${AWAITING_CARD} OR invoice.next_at >= invoice.step_at + interval '24 hours'
             OR EXISTS (SELECT FROM attempt a WHERE a.invoice_id = invoice.id AND a.state = 'prepared'))`;

/** Whether the declined `invoice` of the `subscription` enters its next step now. */
export const STEP_DUE = Prisma.sql`${ENTERS_STEPS} AND invoice.step_at <= maedal_now() AND subscription.status IN ('trialing', 'active', 'past_due')
           AND (invoice.next_at > maedal_now() OR invoice.reason = ${AWAITING_CARD})
           AND NOT EXISTS (SELECT FROM attempt a WHERE a.invoice_id = invoice.id AND (a.state IN ('sent', 'unknown') OR a.lease_until > maedal_now()
                              OR (a.state = 'prepared' AND a.rung_at > maedal_now() - interval '2 minutes')))`;
