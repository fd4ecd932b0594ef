import type { Db } from './db.ts';
import type { Subject } from './record.ts';

/**
 * Records as refunds what the gateway lists as given back of a payment and nobody here asked for: each cancellation once,
 * by its id, with its event. A refund of ours that is done without an id answers for one of its amount, as does a proposal
 * that this fulfils. `ours-open`: one of ours may have been sent and has not ended, so nothing is recorded yet. What the list
 * does not name cannot be recorded. One statement.
 */
export async function recordElsewhere(
  db: Db,
  { capture: { impUid }, own }: { readonly capture: { readonly impUid: string }; readonly own: Subject },
): Promise<'recorded' | 'ours-open'> {
  const [row] = await db.$queryRaw<{ waits: boolean }[]>`
    WITH listed AS MATERIALIZED (
      SELECT o.imp_uid, o.amount, o.currency, c.value ->> 'id' AS id, (c.value ->> 'minor')::bigint AS minor, c.nth,
             o.amount - coalesce(sum((c.value ->> 'minor')::bigint) OVER (ORDER BY c.nth ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
        FROM observation o CROSS JOIN jsonb_array_elements(o.cancellations) WITH ORDINALITY AS c (value, nth)
       WHERE o.imp_uid = ${impUid} AND o.amount IS NOT NULL
    ), nameless AS MATERIALIZED (
      SELECT listed.*, row_number() OVER (PARTITION BY minor ORDER BY nth) AS of_amount FROM listed
       WHERE minor > 0 AND NOT EXISTS (SELECT FROM refund r WHERE r.cancellation_id = listed.id)
    ), unasked AS MATERIALIZED (
      SELECT nameless.* FROM nameless
       WHERE of_amount > (SELECT count(*) FROM refund r
                           WHERE r.imp_uid = nameless.imp_uid AND r.amount = nameless.minor AND r.cancellation_id IS NULL
                             AND (r.state = 'done' OR (r.state = 'prepared' AND r.next_at IS NULL)))
    ), waiting AS MATERIALIZED (
      SELECT EXISTS (SELECT FROM unasked) AND EXISTS (
        SELECT FROM refund r WHERE r.imp_uid = ${impUid} AND r.state IN ('sent', 'unknown')) AS waits
    ), recorded AS (
      INSERT INTO refund (invoice_id, imp_uid, amount, currency, checksum, reason, requested_by, state, cancellation_id)
      SELECT ${own.invoiceId}::uuid, u.imp_uid, u.minor, u.currency, greatest(u.before, u.minor), ${REASON}, ${ELSEWHERE}, 'done', u.id
        FROM unasked u JOIN waiting ON NOT waits ORDER BY u.nth
      ON CONFLICT (cancellation_id) DO NOTHING
      RETURNING *
    ), told AS (
      INSERT INTO outbox (kind, subscription_id, invoice_id, payload, next_at)
      SELECT 'refund.recorded_elsewhere', ${own.subscription.id}::uuid, ${own.invoiceId}::uuid,
             jsonb_build_object('subscription_id', ${own.subscription.externalId}::text, 'invoice_id', ${own.invoiceId}::text,
               'period', ${own.periodKey}::text, 'imp_uid', imp_uid, 'cancellation_id', cancellation_id, 'amount', amount,
               'currency', currency, 'reason', reason), maedal_now()
        FROM recorded ORDER BY checksum DESC
    )
    SELECT waits FROM waiting`;
  return row?.waits === true ? 'ours-open' : 'recorded';
}

/** `requested_by` of what was given back by another hand. */
export const ELSEWHERE = 'elsewhere';
const REASON = 'given back at the gateway, and not by us';
