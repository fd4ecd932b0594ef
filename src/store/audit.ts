import type { DateTime } from 'luxon';
import type { AttemptState } from '../billing/attempt.ts';
import type { Held } from '../billing/audit.ts';
import type { ListedPayment } from '../billing/charge.ts';
import type { InvoiceId, MerchantUid } from '../billing/ids.ts';
import type { Db } from './db.ts';
import { ELSEWHERE } from './refunds-elsewhere.ts';

/** What our rows hold about each of these payments, by `imp_uid`. */
export async function heldOf(db: Db, payments: readonly ListedPayment[]): Promise<ReadonlyMap<string, Held>> {
  const asked = payments.map((payment) => ({
    imp_uid: payment.impUid,
    merchant_uid: payment.merchantUid,
    customer_uid: payment.customerUid,
    subscription: payment.subscription,
  }));
  const rows = await db.$queryRaw<Row[]>`
    SELECT r.imp_uid, a.state, a.imp_uid AS paid_by, coalesce(a.lease_until > maedal_now(), false) AS leased,
           coalesce(a.amount, i.amount)::float8 AS amount, coalesce(a.currency, i.currency) AS currency,
           coalesce(a.customer_uid, k.customer_uid) AS asked_customer_uid,
           CASE WHEN o.gone_at IS NULL THEN o.status END AS seen_status, o.cancel_amount::float8 AS seen_cancelled, o.account_at IS NOT NULL AS account_due,
           (SELECT coalesce(sum(f.amount), 0) FROM refund f WHERE f.imp_uid = r.imp_uid AND f.state <> 'failed' AND f.requested_by <> ${ELSEWHERE})::float8 AS refunded,
           EXISTS (SELECT FROM billing_key own WHERE own.customer_uid = r.customer_uid) AS key_is_ours,
           EXISTS (SELECT FROM subscription named WHERE named.external_id = r.subscription) AS subscription_is_ours,
           coalesce(o.first_seen_at <= control.acknowledged_at, false) OR coalesce(o.accounted_as = 'settles', false)
             OR EXISTS (SELECT FROM sending_alarm w WHERE w.cause = 'unknown_capture' AND w.subject = r.imp_uid AND w.number <= control.acknowledged_alarm) AS acknowledged
      FROM jsonb_to_recordset(${JSON.stringify(asked)}::jsonb)
           AS r (imp_uid text, merchant_uid text, customer_uid text, subscription text)
      LEFT JOIN attempt a ON a.merchant_uid = r.merchant_uid
      LEFT JOIN invoice i ON i.id = a.invoice_id
      LEFT JOIN subscription s ON s.id = i.subscription_id
      LEFT JOIN billing_key k ON k.id = coalesce(a.billing_key_id, s.billing_key_id)
      LEFT JOIN observation o ON o.imp_uid = r.imp_uid
      CROSS JOIN control`;
  return new Map(rows.map((row) => [row.imp_uid, heldIn(row)]));
}

/** An attempt that we hold paid, by a payment that the gateway must therefore know. */
export type HeldPaid = {
  readonly impUid: string;
  readonly merchantUid: MerchantUid;
  readonly invoiceId: InvoiceId;
  readonly subscriptionId: string;
  readonly paidAt: Date;
};

/** Up to `limit` of those captured in the window by the gateway's word, in the order of their capture, after one. */
export async function heldPaid(
  db: Db,
  { from, until }: { readonly from: DateTime; readonly until: DateTime },
  after: HeldPaid | null,
  limit: number,
): Promise<HeldPaid[]> {
  const start = after?.paidAt ?? from.toJSDate();
  return db.$queryRaw<HeldPaid[]>`
    SELECT o.imp_uid AS "impUid", a.merchant_uid AS "merchantUid", i.id AS "invoiceId", i.subscription_id AS "subscriptionId",
           o.paid_at AS "paidAt"
      FROM observation o
      JOIN attempt a ON a.merchant_uid = o.merchant_uid AND a.imp_uid = o.imp_uid AND a.state = 'paid'
      JOIN invoice i ON i.id = a.invoice_id
     WHERE (o.paid_at, o.imp_uid) > (${start}, ${after?.impUid ?? ''}) AND o.paid_at <= ${until.toJSDate()}
     ORDER BY o.paid_at, o.imp_uid LIMIT ${limit}`;
}

/** Something that a person must hear of, kept for whoever the merchant wants told. */
export type Alarm = { readonly impUid: string; readonly payload: Readonly<Record<string, unknown>> };

/** Raises alarms for payments that were never seen before; those seen once were raised then. Returns theirs. */
export async function raise(db: Db, kind: string, alarms: readonly Alarm[]): Promise<string[]> {
  const rows = await db.$queryRaw<{ imp_uid: string }[]>`
    WITH fresh AS (
      SELECT r.imp_uid, r.payload FROM jsonb_to_recordset(${JSON.stringify(alarms.map(row))}::jsonb) AS r (imp_uid text, payload jsonb)
       WHERE NOT EXISTS (SELECT FROM observation o WHERE o.imp_uid = r.imp_uid)
    ), told AS (
      INSERT INTO outbox (kind, payload, next_at) SELECT ${kind}, fresh.payload, maedal_now() FROM fresh
    )
    SELECT imp_uid FROM fresh`;
  return rows.map(({ imp_uid }) => imp_uid);
}

function row({ impUid, payload }: Alarm) {
  return { imp_uid: impUid, payload };
}

function heldIn(row: Row): Held {
  const { state, amount, currency, asked_customer_uid: customerUid } = row;
  const isKnown = state !== null && amount !== null && currency !== null && customerUid !== null;
  return {
    attempt: isKnown
      ? {
          state,
          impUid: row.paid_by,
          hold: row.leased ? 'leased' : 'free',
          asked: { customerUid, amount: { minor: amount, currency } },
        }
      : null,
    seen: seenIn(row),
    refundMinor: row.refunded,
    key: row.key_is_ours ? 'ours' : 'foreign',
    subscription: row.subscription_is_ours ? 'ours' : 'unknown',
    isAcknowledged: row.acknowledged,
  };
}

function seenIn({ seen_status: status, seen_cancelled: cancelMinor, account_due: isDue }: Row): Held['seen'] {
  return status === null ? null : { status, cancelMinor: cancelMinor ?? 0, account: isDue ? 'due' : 'done' };
}

type Row = {
  imp_uid: string;
  state: AttemptState | null;
  paid_by: string | null;
  leased: boolean;
  amount: number | null;
  currency: string | null;
  asked_customer_uid: string | null;
  seen_status: string | null;
  seen_cancelled: number | null;
  account_due: boolean;
  refunded: number;
  key_is_ours: boolean;
  subscription_is_ours: boolean;
  acknowledged: boolean;
};
