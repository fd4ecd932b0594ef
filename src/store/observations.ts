import type { PaymentRecord } from '../billing/charge.ts';
import type { Db } from './db.ts';

/**
 * Writes down what the gateway was seen to say, whoever holds the attempt: facts are merged, not fenced. A record that
 * was known keeps its furthest state (`ready`, `failed`, `paid`, `cancelled`), so that a late answer undoes nothing; one
 * that stands twice in a list, whose pages shifted while they were read, counts as its furthest.
 * Money taken or given back is to be accounted for from then on; of what is `foreign`, nothing is. An audit also sets
 * right the amount, card and kind of a payment: were they other than asked, accounting finds out. And where it finds one
 * that was given back whole counted all the same, that is accounted for anew; so is one that was gone and is there again.
 */
export async function observe(
  db: Db,
  records: readonly PaymentRecord[],
  learntBy: 'answer' | 'look_up' | 'webhook' | 'audit' | 'operator',
  owner: 'ours' | 'foreign' = 'ours',
): Promise<void> {
  if (records.length === 0) return;
  await db.$executeRaw`
    INSERT INTO observation AS known (imp_uid, merchant_uid, attempt_id, status, amount, currency, cancel_amount, customer_uid,
                                      sandbox, fail_reason, started_at, paid_at, failed_at, learnt_by, raw, account_at, cancellations)
    SELECT DISTINCT ON (r.imp_uid) r.imp_uid, r.merchant_uid, (SELECT id FROM attempt WHERE attempt.merchant_uid = r.merchant_uid), r.status, r.amount,
           r.currency, r.cancel_amount, r.customer_uid, r.sandbox, r.fail_reason, r.started_at, r.paid_at, r.failed_at, ${learntBy}, r.raw,
           CASE WHEN ${owner} = 'ours' AND r.status IN ('paid', 'cancelled') THEN maedal_now() END, r.cancellations
      FROM jsonb_to_recordset(${JSON.stringify(records.map(columns))}::jsonb) AS r (
           imp_uid text, merchant_uid text, status text, amount bigint, currency text, cancel_amount bigint, customer_uid text,
           sandbox boolean, fail_reason text, started_at timestamptz, paid_at timestamptz, failed_at timestamptz, raw jsonb, cancellations jsonb)
     ORDER BY r.imp_uid, array_position(${STATES}::text[], r.status) DESC, r.cancel_amount DESC
    ON CONFLICT (imp_uid) DO UPDATE SET
      status = CASE WHEN array_position(${STATES}::text[], excluded.status) >= array_position(${STATES}::text[], known.status)
                    THEN excluded.status ELSE known.status END,
      cancel_amount = greatest(known.cancel_amount, excluded.cancel_amount),
      gone_at = CASE WHEN excluded.status NOT IN ('paid', 'cancelled') THEN known.gone_at END,
      cancellations = CASE WHEN jsonb_array_length(excluded.cancellations) > jsonb_array_length(known.cancellations)
                           THEN excluded.cancellations ELSE known.cancellations END,
      fail_reason = coalesce(excluded.fail_reason, known.fail_reason),
      paid_at = coalesce(known.paid_at, excluded.paid_at), failed_at = coalesce(known.failed_at, excluded.failed_at),
      amount = CASE WHEN ${learntBy} = 'audit' THEN excluded.amount ELSE known.amount END,
      currency = CASE WHEN ${learntBy} = 'audit' THEN excluded.currency ELSE known.currency END,
      customer_uid = CASE WHEN ${learntBy} = 'audit' THEN excluded.customer_uid ELSE known.customer_uid END,
      sandbox = CASE WHEN ${learntBy} = 'audit' THEN excluded.sandbox ELSE known.sandbox END,
      account_at = CASE WHEN ${owner} = 'foreign' THEN known.account_at
                        WHEN (excluded.status = 'paid' AND known.status NOT IN ('paid', 'cancelled'))
                          OR (excluded.status IN ('paid', 'cancelled') AND known.gone_at IS NOT NULL)
                          OR (excluded.status = 'cancelled' AND excluded.cancel_amount > known.cancel_amount)
                          OR (excluded.status = 'cancelled' AND known.status <> 'cancelled')
                          OR jsonb_array_length(excluded.cancellations) > jsonb_array_length(known.cancellations)
                          OR (${learntBy} = 'audit' AND excluded.status = 'cancelled' AND excluded.cancel_amount >= known.amount
                              AND known.accounted_as = 'settles')
                          OR (${learntBy} = 'audit' AND excluded.status = 'paid' AND known.status = 'paid'
                              AND (excluded.amount, excluded.currency, excluded.customer_uid, excluded.sandbox)
                                  IS DISTINCT FROM (known.amount, known.currency, known.customer_uid, known.sandbox))
                        THEN maedal_now() ELSE known.account_at END,
      raw = excluded.raw, last_seen_at = maedal_now()`;
}

/**
 * Marks a payment that was seen to be taken as not at the gateway any more: nothing of it counts as kept, and what rested
 * on it is accounted for anew. A later sight of it takes the mark away. Its invoice is watched, for that sight.
 */
export async function markGone(db: Db, impUid: string): Promise<void> {
  await db.$executeRaw`
    WITH i AS MATERIALIZED (
      SELECT id FROM invoice
       WHERE id = (SELECT a.invoice_id FROM attempt a JOIN observation o USING (merchant_uid) WHERE o.imp_uid = ${impUid})
         FOR NO KEY UPDATE
    ), gone AS (
      UPDATE observation SET gone_at = maedal_now(), account_at = maedal_now()
       WHERE imp_uid = ${impUid} AND gone_at IS NULL AND status IN ('paid', 'cancelled') AND (SELECT count(*) FROM i) >= 0
      RETURNING imp_uid
    )
    UPDATE invoice SET watch_at = coalesce(watch_at, maedal_now() + ${LOOK_AGAIN}::interval)
      FROM i, gone WHERE invoice.id = i.id`;
}

const LOOK_AGAIN = '1 hour';
/** From the least telling to the most. */
const STATES = ['other', 'ready', 'failed', 'paid', 'cancelled'];

function columns(record: PaymentRecord): Record<string, unknown> {
  return {
    imp_uid: record.impUid,
    merchant_uid: record.merchantUid,
    status: record.status,
    amount: record.amount?.minor ?? null,
    currency: record.amount?.currency ?? null,
    cancel_amount: record.cancelMinor,
    customer_uid: record.customerUid,
    sandbox: record.sandbox,
    fail_reason: record.decline?.reason ?? null,
    started_at: iso(record.startedAtMs),
    paid_at: iso(record.paidAtMs),
    failed_at: iso(record.failedAtMs),
    raw: record.raw,
    cancellations: (record.cancellations ?? []).map(({ cancellationId: id, minor }) => ({ id, minor })),
  };
}

function iso(millis: number | null): string | null {
  return millis === null ? null : new Date(millis).toISOString();
}
