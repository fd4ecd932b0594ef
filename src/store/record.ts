import type { DateTime } from 'luxon';
import type { Decision } from '../billing/dunning.ts';
import type { InvoiceId } from '../billing/ids.ts';
import type { ChargeOutcome } from '../billing/outcome.ts';
import type { Db } from './db.ts';
import { type Ending, endingOf } from './ending.ts';
import type { LeasedAttempt } from './lease.ts';

/**
 * Carries out what was decided: attempt, invoice, subscription, next instant and messages in one statement, in the
 * order of locks that every writer takes. The only writer of what follows a charge.
 *
 * Returns false when the attempt is no longer as it was leased: then somebody else's answer stands. A paid answer is
 * recorded whatever the fence, because facts are not fenced.
 */
export async function record(
  db: Db,
  attempt: LeasedAttempt,
  outcome: ChargeOutcome,
  decision: Decision,
): Promise<boolean> {
  return carryOut(db, attempt, endingOf(attempt, outcome, decision));
}

/** Takes an attempt that was never sent out of collection: its invoice waits for a person, or is void. */
export async function withdraw(db: Db, attempt: LeasedAttempt, to: 'held' | 'void', reason: string): Promise<boolean> {
  return carryOut(db, attempt, {
    from: ['prepared'],
    fenced: true,
    attempt: { state: 'canceled', failReason: reason },
    invoice: { state: to, reason },
    events: [{ kind: to === 'held' ? 'invoice.held' : 'invoice.voided', payload: { reason } }],
  });
}

/**
 * Settles the invoice by an earlier attempt that turned out to be paid: first the present one is withdrawn, then the
 * earlier one is paid. Two statements in this order, because only one attempt of an invoice may be alive; a crash in
 * between leaves a due invoice without an attempt, and the next one finds the same payment.
 */
export async function settleEarlier(
  db: Db,
  attempt: LeasedAttempt,
  merchantUid: string,
  impUid: string,
): Promise<boolean> {
  const withdrawn = await carryOut(db, attempt, {
    from: ['prepared'],
    fenced: true,
    attempt: { state: 'canceled', failReason: `settled by ${merchantUid}` },
    invoice: { state: 'retrying', nextAt: attempt.now.plus({ minutes: 2 }) }, // no sweep may come in between
    events: [],
  });
  if (!withdrawn) return false;
  const earlier = await db.attempt.findUniqueOrThrow({ where: { merchant_uid: merchantUid }, select: { id: true } });
  return carryOut(
    db,
    { ...attempt, id: earlier.id },
    {
      from: ['declined', 'rejected', 'canceled'],
      fenced: false,
      attempt: { state: 'paid', impUid },
      invoice: { state: 'paid' },
      subscription: 'settled',
      events: [{ kind: 'invoice.paid', payload: { imp_uid: impUid, merchant_uid: merchantUid } }],
    },
  );
}

type Subject = Pick<LeasedAttempt, 'fence' | 'subscription' | 'periodKey' | 'amount' | 'merchantUid'> & {
  readonly id: string;
  readonly invoiceId: InvoiceId;
};

async function carryOut(db: Db, subject: Subject, ending: Ending): Promise<boolean> {
  const { attempt, invoice } = ending;
  const rows = await db.$queryRaw<{ recorded: number }[]>`
    WITH s AS MATERIALIZED (
      SELECT id, status FROM subscription WHERE id = ${subject.subscription.id}::uuid FOR NO KEY UPDATE
    ), i AS MATERIALIZED (
      SELECT invoice.id, invoice.subscription_id FROM invoice JOIN s ON s.id = invoice.subscription_id
       WHERE invoice.id = ${subject.invoiceId}::uuid
         AND (invoice.state IN ('open', 'retrying') OR (${invoice.state} = 'paid' AND invoice.state IN ('held', 'uncollectible')))
         FOR NO KEY UPDATE OF invoice
    ), a AS (
      UPDATE attempt SET state = ${attempt.state}, lease_until = NULL, lease_count = 0, updated_at = maedal_now(),
             not_sent_count = not_sent_count + CASE WHEN ${attempt.notSent ?? false} AND attempt.state = 'sent' THEN 1 ELSE 0 END,
             answered_at = CASE WHEN ${attempt.state} IN ('paid', 'declined', 'rejected') THEN maedal_now() END,
             imp_uid = coalesce(${attempt.impUid ?? null}, imp_uid), decline_class = ${attempt.declineClass ?? null},
             fail_reason = ${attempt.failReason ?? null}
        FROM i
       WHERE attempt.id = ${subject.id}::uuid AND attempt.invoice_id = i.id AND attempt.state = ANY(${[...ending.from]}::text[])
         AND (attempt.fence = ${subject.fence} OR NOT ${ending.fenced})
      RETURNING attempt.invoice_id
    ), moved AS (
      UPDATE invoice SET state = ${invoice.state}, reason = ${invoice.reason ?? null}, next_at = ${sqlInstant(invoice.nextAt)}::timestamptz,
             failures = failures + ${invoice.failed === true ? 1 : 0}, updated_at = maedal_now(),
             paid_at = CASE WHEN ${invoice.state} = 'paid' THEN maedal_now() END
        FROM a WHERE invoice.id = a.invoice_id
      RETURNING invoice.id
    ), standing AS (
      UPDATE subscription SET updated_at = maedal_now(), status = CASE ${ending.subscription ?? 'same'}
             WHEN 'past_due' THEN 'past_due' WHEN 'unpaid' THEN 'unpaid' ELSE 'active' END
        FROM s, moved
       WHERE subscription.id = s.id AND CASE ${ending.subscription ?? 'same'}
             WHEN 'past_due' THEN s.status = 'active'
             WHEN 'unpaid' THEN s.status IN ('active', 'past_due')
             WHEN 'settled' THEN s.status IN ('past_due', 'unpaid') AND NOT EXISTS (
               SELECT FROM invoice other WHERE other.subscription_id = s.id AND other.id <> moved.id
                  AND (other.state = 'uncollectible' OR (other.state = 'retrying' AND other.failures > 0)))
             ELSE false END
    ), told AS (
      INSERT INTO outbox (kind, subscription_id, invoice_id, payload, next_at)
      SELECT event.kind, s.id, moved.id, ${JSON.stringify(snapshot(subject))}::jsonb || event.payload, maedal_now()
        FROM s, moved, jsonb_to_recordset(${JSON.stringify(ending.events)}::jsonb) AS event (kind text, payload jsonb)
    )
    SELECT count(*)::integer AS recorded FROM moved`;
  return rows[0]?.recorded === 1;
}

function snapshot(subject: Subject): Record<string, unknown> {
  return {
    subscription_id: subject.subscription.externalId,
    invoice_id: subject.invoiceId,
    period: subject.periodKey,
    merchant_uid: subject.merchantUid,
    amount: subject.amount.minor,
    currency: subject.amount.currency,
  };
}

function sqlInstant(at: DateTime | undefined): Date | null {
  return at?.toJSDate() ?? null;
}
