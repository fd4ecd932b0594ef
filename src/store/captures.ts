import type { DateTime } from 'luxon';
import type { AttemptStanding, AttemptState } from '../billing/attempt.ts';
import type { Accounting, Capture } from '../billing/capture.ts';
import type { InvoiceId, MerchantUid } from '../billing/ids.ts';
import type { DunningPolicy } from '../billing/policy.ts';
import type { Db } from './db.ts';
import { instant, instantOrNull } from './instant.ts';
import type { Subject } from './record.ts';

/** A capture that nobody accounted for yet, with what settling it is decided on. */
export type Unaccounted = {
  readonly capture: Capture;
  /** Its attempt, as `record` names it. */
  readonly own: Subject & Omit<AttemptStanding, 'quarantineSeconds'>;
  /** The other attempt of the invoice that is alive. */
  readonly living: Subject | null;
  readonly channel: string;
  readonly policy: DunningPolicy;
  readonly now: DateTime;
};

/** Up to `limit` captures that are to be accounted for, those that wait longest first. Locks nothing. */
export async function unaccountedCaptures(db: Db, limit: number, sandbox: boolean): Promise<Unaccounted[]> {
  const rows = await db.$queryRaw<Row[]>`
    SELECT o.imp_uid, o.status, o.amount::float8 AS captured, o.currency AS captured_currency, o.cancel_amount::float8 AS cancel_amount,
           o.customer_uid, o.sandbox, maedal_now() AS now, p.policy, i.id AS invoice_id, i.state AS invoice_state, i.period_key, i.due_at,
           i.failures, s.id AS subscription_id, s.external_id, s.channel, a.state, a.fence, a.merchant_uid, a.sent_at,
           a.imp_uid AS paid_by, coalesce(a.lease_until > maedal_now(), false) AS leased, a.send_count - a.not_sent_count AS sends,
           coalesce(a.amount, i.amount)::float8 AS amount, coalesce(a.currency, i.currency) AS currency,
           coalesce(a.customer_uid, k.customer_uid) AS asked_customer_uid,
           (SELECT coalesce(sum(r.amount), 0) FROM refund r WHERE r.imp_uid = o.imp_uid AND r.state <> 'failed')::float8 AS refunded,
           EXISTS (SELECT FROM observation x JOIN attempt y ON y.merchant_uid = x.merchant_uid
                    WHERE y.invoice_id = i.id AND x.imp_uid <> o.imp_uid AND x.accounted_as = 'review' AND x.status = 'paid') AS others_in_review,
           (SELECT jsonb_build_object('state', b.state, 'fence', b.fence, 'merchantUid', b.merchant_uid,
                                      'leased', coalesce(b.lease_until > maedal_now(), false))
              FROM attempt b WHERE b.invoice_id = i.id AND b.id <> a.id
               AND b.state IN ('prepared', 'sent', 'unknown', 'paid', 'review')) AS living
      FROM observation o
      JOIN attempt a ON a.merchant_uid = o.merchant_uid
      JOIN invoice i ON i.id = a.invoice_id
      JOIN policy_version p ON p.id = i.policy_version_id
      JOIN subscription s ON s.id = i.subscription_id
      JOIN billing_key k ON k.id = s.billing_key_id
     WHERE o.account_at <= maedal_now() AND o.status IN ('paid', 'cancelled')
     ORDER BY o.account_at, o.paid_at, o.imp_uid LIMIT ${limit}`;
  return rows.map((row) => unaccounted(row, sandbox));
}

/**
 * Writes down how a capture was accounted for; `wait` has it looked at again in a few seconds. A refund that was proposed
 * of what came back by another hand is done with it. Where somebody else gave a part back, that is told.
 */
export async function accountAs(
  db: Db,
  impUid: string,
  as: Extract<Accounting['kind'], 'settles' | 'returned' | 'wait'>,
): Promise<void> {
  await db.$executeRaw`
    WITH o AS (
      UPDATE observation SET accounted_as = CASE WHEN ${as} <> 'wait' THEN ${as} END,
             account_at = CASE WHEN ${as} = 'wait' THEN maedal_now() + interval '2 seconds' END
       WHERE imp_uid = ${impUid} AND account_at IS NOT NULL RETURNING observation.*
    ), done AS (
      UPDATE refund SET state = 'done', updated_at = maedal_now() FROM o
       WHERE refund.imp_uid = o.imp_uid AND ${as} = 'returned' AND refund.state = 'prepared' AND refund.next_at IS NULL
         AND o.cancel_amount - (o.amount - refund.checksum) = refund.amount
      RETURNING refund.*
    ), cut AS (
      INSERT INTO outbox (kind, subscription_id, invoice_id, payload, next_at)
      SELECT 'charge.cancelled_in_part', i.subscription_id, i.id, jsonb_build_object('imp_uid', o.imp_uid, 'merchant_uid', o.merchant_uid,
               'amount', o.amount, 'cancelled', o.cancel_amount, 'currency', o.currency), maedal_now()
        FROM o JOIN attempt a ON a.merchant_uid = o.merchant_uid JOIN invoice i ON i.id = a.invoice_id
       WHERE ${as} = 'settles' AND o.cancel_amount > (
         SELECT coalesce(sum(r.amount), 0) FROM refund r WHERE r.imp_uid = o.imp_uid AND r.state <> 'failed')
    )
    INSERT INTO outbox (kind, subscription_id, invoice_id, payload, next_at)
    SELECT 'refund.succeeded', i.subscription_id, i.id, jsonb_build_object('invoice_id', i.id, 'period', i.period_key,
             'imp_uid', done.imp_uid, 'amount', done.amount, 'currency', done.currency, 'reason', done.reason), maedal_now()
      FROM done JOIN invoice i ON i.id = done.invoice_id`;
}

/**
 * Puts a capture up for refund, and raises the alarm: one statement. `approved` has it given back by itself; otherwise
 * it waits for a person. Returns false when it was put up before, or nothing of it is left to give back.
 */
export async function putUpForRefund(
  db: Db,
  found: Unaccounted,
  refund: { readonly reason: string; readonly approval: 'approved' | 'proposed' },
): Promise<boolean> {
  const rows = await db.$queryRaw<{ put_up: number }[]>`
    WITH o AS MATERIALIZED (
      SELECT observation.* FROM observation WHERE imp_uid = ${found.capture.impUid} AND account_at IS NOT NULL FOR UPDATE
    ), put_up AS (
      INSERT INTO refund (invoice_id, imp_uid, amount, currency, checksum, reason, requested_by, next_at)
      SELECT ${found.own.invoiceId}::uuid, imp_uid, amount - cancel_amount, currency, amount - cancel_amount, ${refund.reason},
             'maedal', CASE WHEN ${refund.approval} = 'approved' THEN maedal_now() END
        FROM o WHERE amount > cancel_amount
      ON CONFLICT DO NOTHING RETURNING imp_uid
    ), told AS (
      INSERT INTO outbox (kind, subscription_id, invoice_id, payload, next_at)
      SELECT 'charge.doubled', ${found.own.subscription.id}::uuid, ${found.own.invoiceId}::uuid,
             jsonb_build_object('imp_uid', o.imp_uid, 'merchant_uid', o.merchant_uid, 'amount', o.amount, 'currency', o.currency,
                                'reason', ${refund.reason}::text, 'refund', ${refund.approval}::text), maedal_now()
        FROM o JOIN put_up USING (imp_uid)
    ), accounted AS (
      UPDATE observation SET account_at = NULL, accounted_as = 'refund' FROM o WHERE observation.imp_uid = o.imp_uid
    )
    SELECT count(*)::integer AS put_up FROM put_up`;
  return rows[0]?.put_up === 1;
}

/**
 * Stops the invoice of a capture for a person to look at; its living or paid attempt goes with it. One statement, which does
 * nothing while another attempt is with a worker or its fate is open: nobody would look that one up any more. Returns
 * whether it did.
 */
export async function putUpForReview(db: Db, found: Unaccounted, reason: string): Promise<boolean> {
  return reviewPayment(db, found, reason);
}

/** The same for a payment that an audit found to be gone. One statement. */
export async function reviewPayment(db: Db, found: ToReview, reason: string): Promise<boolean> {
  const put = await db.$executeRaw`
    WITH s AS MATERIALIZED (
      SELECT id FROM subscription WHERE id = ${found.own.subscription.id}::uuid FOR NO KEY UPDATE
    ), i AS MATERIALIZED (
      SELECT invoice.id, s.id AS subscription_id FROM invoice JOIN s ON s.id = invoice.subscription_id
       WHERE invoice.id = ${found.own.invoiceId}::uuid FOR NO KEY UPDATE OF invoice
    ), o AS MATERIALIZED (
      -- Locked, so that whoever comes second finds it done.
      SELECT observation.imp_uid FROM observation JOIN i ON true
       WHERE observation.imp_uid = ${found.capture.impUid} AND (account_at IS NOT NULL OR accounted_as IS DISTINCT FROM 'review')
         FOR NO KEY UPDATE OF observation
    ), others AS MATERIALIZED (
      -- Locked, so that an intent that was waited for is seen as it is now.
      SELECT attempt.state, attempt.lease_until FROM attempt JOIN i ON i.id = attempt.invoice_id
       WHERE attempt.merchant_uid <> ${found.own.merchantUid} AND attempt.state IN ('prepared', 'sent', 'unknown') FOR NO KEY UPDATE OF attempt
    ), free AS MATERIALIZED (
      SELECT i.* FROM i JOIN o ON true WHERE NOT EXISTS (SELECT FROM others WHERE state IN ('sent', 'unknown') OR lease_until > maedal_now())
    ), a AS (
      UPDATE attempt SET state = 'review', fail_reason = ${reason}, answered_at = NULL, lease_until = NULL, updated_at = maedal_now()
        FROM free WHERE attempt.merchant_uid = ${found.own.merchantUid} AND attempt.state IN ('prepared', 'sent', 'unknown', 'paid')
    ), moved AS (
      UPDATE invoice SET state = 'review', reason = ${reason}, next_at = NULL, paid_at = NULL, updated_at = maedal_now()
        FROM free WHERE invoice.id = free.id AND invoice.state <> 'review' RETURNING invoice.id
    ), told AS (
      INSERT INTO outbox (kind, subscription_id, invoice_id, payload, next_at)
      SELECT 'invoice.needs_review', free.subscription_id, free.id,
             jsonb_build_object('imp_uid', ${found.capture.impUid}::text, 'reason', ${reason}::text), maedal_now() FROM free
    )
    UPDATE observation SET account_at = NULL, accounted_as = 'review'
     WHERE imp_uid = ${found.capture.impUid} AND EXISTS (SELECT FROM free)`;
  return put === 1;
}

/** A payment, with the attempt and invoice that it is for. */
type ToReview = {
  readonly capture: Pick<Capture, 'impUid'>;
  readonly own: Pick<Subject, 'invoiceId' | 'merchantUid'> & { readonly subscription: { readonly id: string } };
};

function unaccounted(row: Row, sandbox: boolean): Unaccounted {
  const amount = { minor: row.amount, currency: row.currency };
  const subject = {
    invoiceId: row.invoice_id,
    periodKey: row.period_key,
    amount,
    subscription: { id: row.subscription_id, externalId: row.external_id },
  };
  const { living } = row;
  return {
    capture: captureOf(row, { customerUid: row.asked_customer_uid, amount, sandbox }),
    own: {
      ...subject,
      merchantUid: row.merchant_uid,
      fence: row.fence,
      state: row.state,
      dueAt: instant(row.due_at),
      sentAt: instantOrNull(row.sent_at),
      failures: row.failures,
      timesNotSent: 0,
      unsettledSince: null,
      collecting: null,
      sends: row.sends,
    },
    living: living === null ? null : { ...subject, merchantUid: living.merchantUid, fence: living.fence },
    channel: row.channel,
    policy: row.policy,
    now: instant(row.now),
  };
}

function captureOf(row: Row, asked: Capture['attempt']['asked']): Capture {
  const { captured, captured_currency: currency, living } = row;
  return {
    impUid: row.imp_uid,
    status: row.status,
    amount: captured === null || currency === null ? null : { minor: captured, currency },
    cancelMinor: row.cancel_amount,
    customerUid: row.customer_uid,
    sandbox: row.sandbox,
    refundMinor: row.refunded,
    attempt: {
      state: row.state,
      impUid: row.paid_by,
      hold: row.leased ? 'leased' : 'free',
      asked,
      invoice: row.invoice_state,
      others: row.others_in_review ? 'in-review' : 'none',
      sibling: living === null ? null : { state: living.state, hold: living.leased ? 'leased' : 'free' },
    },
  };
}

type Row = {
  imp_uid: string;
  status: 'paid' | 'cancelled';
  captured: number | null;
  captured_currency: string | null;
  cancel_amount: number;
  customer_uid: string | null;
  sandbox: boolean | null;
  refunded: number;
  now: Date;
  policy: DunningPolicy;
  invoice_id: InvoiceId;
  invoice_state: string;
  others_in_review: boolean;
  period_key: string;
  due_at: Date;
  failures: number;
  subscription_id: string;
  external_id: string;
  channel: string;
  state: AttemptState;
  fence: number;
  merchant_uid: MerchantUid;
  sent_at: Date | null;
  paid_by: string | null;
  leased: boolean;
  sends: number;
  amount: number;
  currency: string;
  asked_customer_uid: string;
  living: { state: AttemptState; fence: number; merchantUid: MerchantUid; leased: boolean } | null;
};
