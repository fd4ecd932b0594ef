import { AWAITING_CARD } from '../billing/invoice.ts';
import type { Db } from './db.ts';

/**
 * Has up to `limit` declined invoices enter the next step of their policy, the longest due first: the step is counted, told
 * of, and changes access, all in one statement, so that each is entered once. One of a subscription at a time; none while it
 * is not charged, and none for what was refused for the merchant's own account last. A try that is due, rung or under way goes before the step of its day; one that is put off does
 * not. Returns how many were due.
 */
export async function enterSteps(db: Db, limit: number): Promise<number> {
  const [row] = await db.$queryRaw<{ entered: number }[]>`
    WITH due AS MATERIALIZED (
      SELECT DISTINCT ON (i.subscription_id) i.id, i.subscription_id, i.steps_entered, p.policy -> 'steps' AS steps FROM (
        SELECT invoice.* FROM invoice JOIN subscription ON subscription.id = invoice.subscription_id
         WHERE invoice.state = 'retrying' AND step_at <= maedal_now() AND subscription.status IN ('trialing', 'active', 'past_due')
           AND (invoice.next_at > maedal_now() OR invoice.reason = ${AWAITING_CARD}) AND maedal_last_decline(invoice.id) IS DISTINCT FROM 'config'
           AND NOT EXISTS (SELECT FROM attempt a WHERE a.invoice_id = invoice.id AND (a.state IN ('sent', 'unknown') OR a.lease_until > maedal_now()
                              OR (a.state = 'prepared' AND a.rung_at > maedal_now() - interval '2 minutes')))
         ORDER BY step_at, invoice.id LIMIT ${limit}) i
        JOIN policy_version p ON p.id = i.policy_version_id
       ORDER BY i.subscription_id, i.step_at, i.id
    ), s AS MATERIALIZED (
      SELECT subscription.id, subscription.external_id FROM subscription JOIN due ON due.subscription_id = subscription.id
       ORDER BY subscription.id FOR NO KEY UPDATE OF subscription SKIP LOCKED
    ), i AS MATERIALIZED (
      SELECT invoice.id, s.id AS subscription_id, s.external_id, due.steps -> due.steps_entered AS step,
             due.steps -> (due.steps_entered + 1) ->> 'afterDays' AS next_days
        FROM invoice JOIN due ON due.id = invoice.id JOIN s ON s.id = due.subscription_id
       WHERE invoice.state = 'retrying' AND invoice.step_at <= maedal_now() AND invoice.steps_entered = due.steps_entered
         FOR NO KEY UPDATE OF invoice
    ), moved AS (
      UPDATE invoice SET steps_entered = steps_entered + CASE WHEN i.step IS NULL THEN 0 ELSE 1 END, updated_at = maedal_now(),
             step_at = CASE WHEN i.step IS NOT NULL THEN due_at + make_interval(days => i.next_days::integer) END
        FROM i WHERE invoice.id = i.id RETURNING invoice.id, invoice.period_key, invoice.steps_entered
    ), access AS (
      -- Of several unpaid invoices the strictest counts.
      UPDATE subscription SET updated_at = maedal_now(), access = (ARRAY['full', 'grace', 'suspended'])[
               greatest(maedal_strictness(i.step ->> 'access'), maedal_access_level(i.subscription_id, i.id))] FROM i
       WHERE subscription.id = i.subscription_id AND subscription.status = 'past_due' AND i.step ->> 'access' IS NOT NULL
    ), told AS (
      INSERT INTO outbox (kind, subscription_id, invoice_id, payload, next_at)
      SELECT 'dunning.step_entered', i.subscription_id, i.id, jsonb_build_object('subscription_id', i.external_id, 'invoice_id', i.id,
               'period', moved.period_key, 'step', i.step ->> 'name', 'number', moved.steps_entered, 'access', i.step ->> 'access'), maedal_now()
        FROM i JOIN moved ON moved.id = i.id WHERE i.step IS NOT NULL
    )
    SELECT count(*)::integer AS entered FROM moved`;
  return row?.entered ?? 0;
}
