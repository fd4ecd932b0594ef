import type { Accounting, Capture } from '../billing/capture.ts';
import type { Db } from './db.ts';
import { Prisma } from './prisma/client.ts';
import type { Subject } from './record.ts';
import type { Unaccounted } from './unaccounted.ts';

/**
 * Writes down how a capture was accounted for, if it, its attempt and its invoice are still as they were read; `wait` has
 * it looked at again in a few seconds, `broken` in a minute. A refund that was proposed of what came back by another hand
 * is done with it. Where somebody else gave a part back, that is told.
 */
export async function accountAs(
  db: Db,
  found: Unaccounted,
  as: Extract<Accounting['kind'], 'settles' | 'returned' | 'wait'> | 'broken',
): Promise<void> {
  await db.$executeRaw`
    WITH ${ownAsRead(found)}, o AS (
      UPDATE observation SET accounted_as = CASE WHEN ${as} IN ('settles', 'returned') THEN ${as} END,
             account_at = CASE ${as} WHEN 'wait' THEN maedal_now() + interval '2 seconds' WHEN 'broken' THEN maedal_now() + interval '1 minute' END
        FROM own WHERE ${asRead(found.capture)} RETURNING observation.*
    ), done AS (
      UPDATE refund SET state = 'done', updated_at = maedal_now(), cancellation_id = coalesce(refund.cancellation_id, (
               SELECT c ->> 'id' FROM jsonb_array_elements(o.cancellations) c WHERE (c ->> 'minor')::bigint = refund.amount
                  AND NOT EXISTS (SELECT FROM refund x WHERE x.cancellation_id = c ->> 'id') LIMIT 1))
        FROM o
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
 * Puts a capture up for refund, and raises the alarm: one statement. `approved` has it given back by itself; otherwise it
 * waits for a person. Returns false when it was put up before, or when it, its attempt or its invoice is not as it was
 * read any more: what nothing may be kept of by then may be what pays the invoice now.
 */
export async function putUpForRefund(
  db: Db,
  found: Unaccounted,
  refund: { readonly reason: string; readonly approval: 'approved' | 'proposed' },
): Promise<boolean> {
  const rows = await db.$queryRaw<{ put_up: number }[]>`
    WITH ${ownAsRead(found)}, o AS MATERIALIZED (
      SELECT observation.* FROM observation JOIN own ON true WHERE ${asRead(found.capture)} FOR UPDATE OF observation
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

/**
 * The payment, while it is to be accounted for and says what the decision rests on: a cancellation that was seen since
 * then is decided on by itself, and not forgotten with this.
 */
function asRead({ impUid, status, presence, cancelMinor, amount, customerUid, sandbox }: Capture): Prisma.Sql {
  return Prisma.sql`observation.imp_uid = ${impUid} AND observation.account_at IS NOT NULL
    AND observation.status = ${status} AND (observation.gone_at IS NOT NULL) = ${presence === 'gone'} AND observation.cancel_amount = ${cancelMinor}::bigint
    AND (observation.amount, observation.currency, observation.customer_uid, observation.sandbox)
        IS NOT DISTINCT FROM (${amount?.minor ?? null}::bigint, ${amount?.currency ?? null}::text, ${customerUid}::text, ${sandbox}::boolean)`;
}

/**
 * The attempt and the invoice of a capture, locked, while they are as the decision found them: another capture of the same
 * attempt may have been decided on since. In the order of locks that every writer takes.
 */
function ownAsRead({ own, capture: { attempt } }: Unaccounted): Prisma.Sql {
  return Prisma.sql`s AS MATERIALIZED (
      SELECT id FROM subscription WHERE id = ${own.subscription.id}::uuid FOR NO KEY UPDATE
    ), i AS MATERIALIZED (
      SELECT invoice.id FROM invoice JOIN s ON s.id = invoice.subscription_id
       WHERE invoice.id = ${own.invoiceId}::uuid AND invoice.state = ${attempt.invoice} FOR NO KEY UPDATE OF invoice
    ), own AS MATERIALIZED (
      SELECT attempt.id FROM attempt JOIN i ON i.id = attempt.invoice_id
       WHERE attempt.merchant_uid = ${own.merchantUid} AND attempt.state = ${attempt.state}
         AND attempt.imp_uid IS NOT DISTINCT FROM ${attempt.impUid}::text FOR NO KEY UPDATE OF attempt
    )`;
}

/** A payment, with the attempt and invoice that it is for. */
type ToReview = {
  readonly capture: Pick<Capture, 'impUid'>;
  readonly own: Pick<Subject, 'invoiceId' | 'merchantUid'> & { readonly subscription: { readonly id: string } };
};
