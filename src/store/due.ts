import type { DateTime } from 'luxon';
import type { AttemptId, InvoiceId } from '../billing/ids.ts';
import { AWAITING_CARD } from '../billing/invoice.ts';
import type { Db } from './db.ts';
import { instant } from './instant.ts';
import { Prisma } from './prisma/client.ts';

/** An invoice whose retry is due and that has no living attempt. */
export type RetryDue = {
  readonly invoiceId: InvoiceId;
  /** The merchant's own subscription id. */
  readonly subscription: string;
  readonly periodKey: string;
  /** The number its next attempt gets. */
  readonly attemptNumber: number;
};

/** Whether the invoice `due` was given up, under a policy that holds the others then, and a try of it stands out. */
const GIVEN_UP_AND_TRIED = Prisma.sql`(
         NOT due.written_off AND EXISTS (SELECT FROM history h WHERE h.entity_id = due.id AND h.from_state = 'uncollectible')
         AND (SELECT p.policy ->> 'later' FROM policy_version p WHERE p.id = due.policy_version_id) IS DISTINCT FROM 'accumulate'
         AND (due.next_at <= maedal_now() OR EXISTS (SELECT FROM attempt a WHERE a.invoice_id = due.id AND a.state IN ('prepared', 'sent', 'unknown'))))`;

/**
 * Whether a declined invoice of the subscription `s` has come due in the last minutes, or is being tried: how that ends says
 * what becomes of the others. One that nobody takes for longer, or that hooks put off for longer, holds nothing up, and
 * neither does one whose fate is not known; but for what was given up the others wait until its try has ended, as they did before.
 */
export const TRY_GOES_FIRST = Prisma.sql`EXISTS (SELECT FROM invoice due WHERE due.subscription_id = s.id AND due.state = 'retrying'
       AND ((due.next_at BETWEEN maedal_now() - interval '10 minutes' AND maedal_now() AND due.deferred_seconds < 600)
         OR EXISTS (SELECT FROM attempt a WHERE a.invoice_id = due.id AND (a.state = 'sent' OR a.lease_until > maedal_now()
                      OR (a.state = 'prepared' AND a.rung_at > maedal_now() - interval '10 minutes' AND due.deferred_seconds < 600)))
         OR ${GIVEN_UP_AND_TRIED}))`;

/**
 * Whether such a try holds the others of the subscription `s` up, for as long as it takes. The other cases of
 * TRY_GOES_FIRST are over within minutes by themselves.
 */
export const LONG_TRY_GOES_FIRST = Prisma.sql`EXISTS (SELECT FROM invoice due WHERE due.subscription_id = s.id
       AND due.state = 'retrying' AND ${GIVEN_UP_AND_TRIED})`;

const DUE = Prisma.sql`i.state IN ('open', 'retrying') AND i.next_at <= maedal_now()`;

/** Whether the next attempt of the invoice `i` is to be made now. */
export const RETRY_DUE = Prisma.sql`${DUE} AND i.reason IS DISTINCT FROM ${AWAITING_CARD}
       AND NOT EXISTS (SELECT FROM attempt a WHERE a.invoice_id = i.id
                          AND a.state IN ('prepared', 'sent', 'unknown', 'paid', 'review'))`;

/** Whether a worker is to be rung for the invoice `i` now. */
export const RING_DUE = Prisma.sql`${DUE}
         AND EXISTS (SELECT FROM attempt a WHERE a.invoice_id = i.id AND a.state IN ('prepared', 'sent', 'unknown'))`;

/** Whether the send `a` of the invoice `i` was never recorded, and its lease is over. */
export const SEND_EXPIRED = Prisma.sql`a.state = 'sent' AND a.lease_until <= maedal_now() AND i.state IN ('open', 'retrying')`;

/** Up to `limit` invoices that are due, no later than `until` where that is given, and wait for their next attempt to be made. */
export async function retriesDue(db: Db, limit: number, until: DateTime | null): Promise<RetryDue[]> {
  return db.$queryRaw<RetryDue[]>`
    SELECT i.id AS "invoiceId", s.external_id AS subscription, i.period_key AS "periodKey",
           (SELECT coalesce(max(number), 0) + 1 FROM attempt WHERE invoice_id = i.id)::integer AS "attemptNumber"
      FROM invoice i JOIN subscription s ON s.id = i.subscription_id
     WHERE ${RETRY_DUE} AND i.next_at <= ${orNever(until)}
     ORDER BY i.next_at, i.id LIMIT ${limit}`;
}

/**
 * Makes the next attempt of each invoice, which stays due until it is rung. Where another scheduler was quicker, or an
 * earlier attempt came back to life, the unique indexes refuse it and nothing happens.
 */
export async function prepareRetries(
  db: Db,
  retries: readonly (RetryDue & { merchantUid: string })[],
): Promise<number> {
  if (retries.length === 0) return 0;
  return db.$executeRaw`
    INSERT INTO attempt (invoice_id, number, merchant_uid, billing_key_id)
    SELECT i.id, input."attemptNumber", input."merchantUid", i.retry_key_id
      FROM jsonb_to_recordset(${JSON.stringify(retries)}::jsonb)
           AS input ("invoiceId" uuid, "attemptNumber" integer, "merchantUid" text)
      JOIN invoice i ON i.id = input."invoiceId" AND i.state IN ('open', 'retrying')
     ORDER BY i.id
    ON CONFLICT DO NOTHING`;
}

/** A ring to be put into the queue, after it was written down. */
export type Ring = { readonly attemptId: AttemptId; readonly generation: number };

/**
 * Marks up to `limit` due attempts as rung and returns them: first tries, retries and look-ups alike, the longest due
 * first, no look-back limit. Written before the job is added, so that a crash in between costs one `reRingSeconds`:
 * what was rung and not taken is due again by then.
 */
export async function ring(db: Db, limit: number, reRingSeconds: number, until: DateTime | null): Promise<Ring[]> {
  return db.$queryRaw<Ring[]>`
    WITH due AS MATERIALIZED (
      SELECT i.id FROM invoice i
       WHERE ${RING_DUE} AND i.next_at <= ${orNever(until)}
       ORDER BY i.next_at, i.id LIMIT ${limit} FOR NO KEY UPDATE SKIP LOCKED
    ), put_off AS (
      UPDATE invoice SET next_at = maedal_now() + make_interval(secs => ${reRingSeconds}) FROM due WHERE invoice.id = due.id
    )
    UPDATE attempt SET generation = generation + 1, rung_at = maedal_now() FROM due
     WHERE attempt.invoice_id = due.id AND attempt.state IN ('prepared', 'sent', 'unknown')
    RETURNING attempt.id AS "attemptId", attempt.generation`;
}

/**
 * Rings again for up to `limit` attempts that were rung before an instant and that nobody has taken, whenever they would
 * be due again: for a queue that was emptied.
 */
export async function ringAgain(db: Db, limit: number, reRingSeconds: number, before: DateTime): Promise<Ring[]> {
  return db.$queryRaw<Ring[]>`
    WITH lost AS MATERIALIZED (
      SELECT i.id, a.id AS attempt_id FROM invoice i JOIN attempt a ON a.invoice_id = i.id
       WHERE i.state IN ('open', 'retrying') AND a.state IN ('prepared', 'sent', 'unknown') AND a.rung_at < ${before.toJSDate()}
         AND (a.lease_until IS NULL OR a.lease_until <= maedal_now())
       ORDER BY i.next_at, i.id LIMIT ${limit} FOR NO KEY UPDATE OF i SKIP LOCKED
    ), put_off AS (
      UPDATE invoice SET next_at = maedal_now() + make_interval(secs => ${reRingSeconds}) FROM lost WHERE invoice.id = lost.id
    )
    UPDATE attempt SET generation = generation + 1, rung_at = maedal_now() FROM lost
     WHERE attempt.id = lost.attempt_id AND attempt.rung_at < ${before.toJSDate()}
    RETURNING attempt.id AS "attemptId", attempt.generation`;
}

/**
 * Calls `unknown` what was sent and whose lease ended without a record: its worker died or was cut off, and money may
 * have moved. It is due for a look-up at once.
 */
export async function expireSends(db: Db, limit: number): Promise<number> {
  return db.$executeRaw`
    WITH over AS MATERIALIZED (
      SELECT a.id, a.invoice_id, a.lease_until, i.subscription_id, a.merchant_uid FROM invoice i JOIN attempt a ON a.invoice_id = i.id
       WHERE ${SEND_EXPIRED}
       ORDER BY i.id LIMIT ${limit} FOR NO KEY UPDATE SKIP LOCKED
    ), due AS (
      UPDATE invoice SET next_at = over.lease_until FROM over WHERE invoice.id = over.invoice_id
    ), expired AS (
      UPDATE attempt SET state = 'unknown', fence = fence + 1, lease_until = NULL, updated_at = maedal_now(),
             fail_reason = ${NEVER_REPORTED}
        FROM over WHERE attempt.id = over.id AND attempt.state = 'sent'
      RETURNING over.invoice_id, over.subscription_id, over.merchant_uid
    )
    INSERT INTO outbox (kind, subscription_id, invoice_id, payload, next_at)
    SELECT 'charge.unknown', subscription_id, invoice_id,
           jsonb_build_object('merchant_uid', merchant_uid, 'reason', ${NEVER_REPORTED}::text), maedal_now() FROM expired`;
}

/** Why a send is called unknown that nobody told of. */
export const NEVER_REPORTED = 'the worker that sent it never reported back';

function orNever(until: DateTime | null): Prisma.Sql {
  return Prisma.sql`coalesce(${until?.toJSDate() ?? null}::timestamptz, 'infinity')`;
}

/** The database's clock. */
export async function databaseNow(db: Db): Promise<DateTime> {
  const [row] = await db.$queryRaw<{ now: Date }[]>`SELECT maedal_now() AS now`;
  if (row === undefined) throw new Error('the database did not tell the time');
  return instant(row.now);
}
