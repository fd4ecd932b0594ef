import type { DateTime } from 'luxon';
import type { Transition } from '../billing/attempt.ts';
import type { InvoiceId } from '../billing/ids.ts';
import { AWAITING_CARD, WRITTEN_OFF } from '../billing/invoice.ts';
import type { Db } from './db.ts';
import type { LeasedAttempt } from './lease.ts';
import { Prisma } from './prisma/client.ts';

/** The attempt that a transition is of, as far as the statement names it. */
export type Subject = Pick<LeasedAttempt, 'fence' | 'periodKey' | 'amount' | 'merchantUid'> & {
  readonly invoiceId: InvoiceId;
  readonly subscription: Pick<LeasedAttempt['subscription'], 'id' | 'externalId'>;
  /** Of the subscription, where what follows was decided on cards that were read with it. */
  readonly version?: string;
};

/**
 * Carries out a transition: attempt, invoice, subscription, next instant and messages in one statement, in the order of
 * locks that every writer takes. The only writer of what follows a charge.
 *
 * Returns false when the attempt is no longer as it was leased: then somebody else's answer stands; or when the
 * subscription was given a card since those were read that it was decided on. A paid answer is
 * recorded whatever the fence, because facts are not fenced; but what a person looks at is left by an attempt alone that
 * is itself in review.
 */
export async function record(db: Db, subject: Subject, next: Transition): Promise<boolean> {
  const { attempt, invoice, subscription: becomes = 'same' } = next;
  const { minor, currency } = subject.amount;
  const judged = Prisma.sql`(observation.status = 'paid' AND observation.amount = ${minor}::bigint AND observation.currency = ${currency})`;
  const rows = await db.$queryRaw<{ recorded: number }[]>`
    WITH s AS MATERIALIZED (
      SELECT id, status FROM subscription WHERE id = ${subject.subscription.id}::uuid
         AND xmin::text = coalesce(${subject.version ?? null}, xmin::text) FOR NO KEY UPDATE
    ), i AS MATERIALIZED (
      SELECT invoice.id, invoice.subscription_id FROM invoice JOIN s ON s.id = invoice.subscription_id
       WHERE invoice.id = ${subject.invoiceId}::uuid
         AND (invoice.state IN ('open', 'retrying') OR (${invoice.state} = 'paid' AND (
           invoice.state IN ('held', 'uncollectible') OR (invoice.state = 'review' AND ${next.from.includes('review')}))))
         AND (NOT ${next.whileAwaiting ?? false} OR (invoice.reason = ${AWAITING_CARD} AND s.status IN ('trialing', 'active', 'past_due')))
         FOR NO KEY UPDATE OF invoice
    ), a AS (
      UPDATE attempt SET state = ${attempt.state}, lease_until = NULL, lease_count = 0, updated_at = maedal_now(),
             not_sent_count = not_sent_count + CASE WHEN ${attempt.notSent ?? false} AND attempt.state = 'sent' THEN 1 ELSE 0 END,
             answered_at = CASE WHEN ${attempt.state} IN ('paid', 'declined', 'rejected')
                                THEN CASE WHEN attempt.state = ${attempt.state} THEN attempt.answered_at ELSE maedal_now() END END,
             imp_uid = coalesce(${attempt.impUid ?? null}, imp_uid), decline_class = ${attempt.declineClass ?? null},
             fail_reason = ${attempt.failReason ?? null},
             not_found_count = not_found_count + ${attempt.notFound === true ? 1 : 0},
             unsettled_since = CASE WHEN ${attempt.state} <> 'prepared' OR NOT ${attempt.unsettled ?? null}::boolean THEN NULL
                                    WHEN ${attempt.unsettled ?? null}::boolean THEN coalesce(unsettled_since, maedal_now()) ELSE unsettled_since END,
             unanswered_at = coalesce(${sqlInstant(attempt.unansweredAt)}::timestamptz, unanswered_at),
             card_blocked_until = coalesce(${sqlInstant(attempt.cardBlockedUntil)}::timestamptz, card_blocked_until)
        FROM i
       WHERE attempt.merchant_uid = ${subject.merchantUid} AND attempt.invoice_id = i.id AND attempt.state = ANY(${[...next.from]}::text[])
         AND (attempt.fence = ${subject.fence} OR ${next.fence} = 'unfenced')
      RETURNING attempt.invoice_id
    ), moved AS (
      UPDATE invoice SET state = ${invoice.state}, retry_key_id = ${invoice.retryCardId ?? null}::uuid,
             reason = CASE WHEN ${invoice.state} IN ('open', 'retrying') THEN coalesce(${invoice.reason ?? null}, nullif(invoice.reason, ${AWAITING_CARD})) ELSE ${invoice.reason ?? null} END,
             next_at = ${sqlInstant(invoice.nextAt)}::timestamptz,
             written_off = ${invoice.state} <> 'paid' AND (written_off OR coalesce(${invoice.reason ?? null} = ${WRITTEN_OFF}, false)),
             failures = failures + ${invoice.failed === true ? 1 : 0}, updated_at = maedal_now(),
             paid_at = CASE WHEN ${invoice.state} = 'paid' THEN maedal_now() END,
             step_at = CASE WHEN ${invoice.failed === true} THEN due_at + make_interval(days => (maedal_next_step(policy_version_id, entered_steps, step_day) ->> 'afterDays')::integer) ELSE step_at END,
             watch_at = coalesce(${sqlInstant(invoice.watchAt)}::timestamptz, watch_at)
        FROM a WHERE invoice.id = a.invoice_id
      RETURNING invoice.id
    ), accounted AS (
      -- Only while it still says what was judged: what was cancelled or set right meanwhile is for the sweep, which may
      -- have accounted for that while nothing counted it.
      UPDATE observation SET account_at = CASE WHEN ${judged} THEN NULL ELSE maedal_now() END,
             accounted_as = CASE WHEN ${judged} THEN 'settles' ELSE accounted_as END
        FROM a WHERE ${attempt.state} = 'paid' AND observation.imp_uid = ${attempt.impUid ?? null}
    ), standing AS (
      UPDATE subscription SET updated_at = maedal_now(), status = CASE ${becomes}
             WHEN 'past_due' THEN 'past_due' WHEN 'accumulate' THEN 'past_due' WHEN 'unpaid' THEN 'unpaid' WHEN 'pause' THEN 'paused' WHEN 'cancel' THEN 'canceled'
             ELSE maedal_status_owing(s.id, moved.id) END,
             access = CASE WHEN ${becomes} = 'accumulate' THEN 'suspended'
                           WHEN ${becomes} IN ('settled', 'write_off') THEN maedal_access_owing(s.id, moved.id) ELSE subscription.access END,
             canceled_at = CASE WHEN ${becomes} = 'cancel' THEN maedal_now() ELSE subscription.canceled_at END,
             paused_at = CASE WHEN ${becomes} = 'pause' THEN maedal_now() ELSE subscription.paused_at END,
             next_due_at = CASE WHEN ${becomes} <> 'cancel' THEN subscription.next_due_at END
        FROM s, moved
       WHERE subscription.id = s.id AND CASE
             WHEN ${becomes} = 'past_due' THEN s.status = 'active'
             WHEN ${becomes} IN ('unpaid', 'accumulate', 'pause', 'cancel') THEN s.status IN ('active', 'past_due')
             -- Still past due, it may owe what has come less far than what was paid.
             WHEN ${becomes} IN ('settled', 'write_off') THEN s.status IN ('past_due', 'unpaid')
             ELSE false END
      RETURNING subscription.id
    ), told AS (
      INSERT INTO outbox (kind, subscription_id, invoice_id, payload, next_at)
      SELECT event.kind, s.id, moved.id, ${JSON.stringify(snapshot(subject))}::jsonb || event.payload, maedal_now()
        FROM s, moved, jsonb_to_recordset(${JSON.stringify(next.events)}::jsonb) AS event (kind text, payload jsonb)
             -- Of the subscription only where it moved: a cancel, a pause or another invoice may have been quicker.
       WHERE event.kind NOT LIKE 'subscription.%' OR EXISTS (SELECT FROM standing)
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
