import { DateTime } from 'luxon';
import type { CaseFile } from '../store/case-file.ts';
import { NEVER_REPORTED } from '../store/due.ts';
import type { Identity } from '../store/fence.ts';
import { isoInstant, isoInstantOrNull } from './instant.ts';
import { storyOf } from './story.ts';
import { whatIsNext, whatIsNextOfRefund } from './what-is-next.ts';

/** Everything that happened to one invoice, why, and what comes next. Plain data: its JSON is the `--json` form. */
export type Explanation = ReturnType<typeof explanationOf>;

/** Puts what was written down in order. */
export function explanationOf(file: CaseFile, identity: Identity) {
  const { invoice, now } = file;
  const { subscription } = invoice;
  return {
    now: isoInstant(now),
    invoice: {
      id: invoice.id,
      subscription_id: subscription.external_id,
      name: invoice.name,
      period: invoice.period_key,
      period_start: isoInstant(invoice.period_start),
      period_end: isoInstant(invoice.period_end),
      amount: Number(invoice.amount),
      currency: invoice.currency,
      status: invoice.state,
      reason: invoice.reason,
      failures: invoice.failures,
    },
    due: { at: isoInstant(invoice.due_at), local: localTime(invoice.due_at, subscription.timezone) },
    timezone: subscription.timezone,
    subscription_status: subscription.status,
    story: storyOf(file).map(({ at, ...told }) => {
      return { at: isoInstant(at), local: localTime(at, subscription.timezone), ...told };
    }),
    transitions: file.history.map((row) => transition(file, row)),
    attempts: invoice.attempts.map((attempt) => attemptOf(file, attempt)),
    refunds: invoice.refunds.map((refund) => ({
      imp_uid: refund.imp_uid,
      amount: Number(refund.amount),
      currency: refund.currency,
      state: refund.state,
      reason: refund.reason,
      requested_by: refund.requested_by,
      fail_reason: refund.fail_reason,
      sends: refund.send_count,
      sent_at: isoInstantOrNull(refund.sent_at),
      cancellation_id: refund.cancellation_id,
      next: whatIsNextOfRefund(file, refund),
    })),
    policy: { id: invoice.policy_version_id, rules: file.policy },
    next: whatIsNext(file, identity),
  };
}

function transition({ invoice }: CaseFile, row: CaseFile['history'][number]) {
  return {
    at: isoInstant(row.at),
    local: localTime(row.at, invoice.subscription.timezone),
    what: row.entity,
    attempt: invoice.attempts.find((attempt) => attempt.id === row.entity_id)?.number ?? null,
    imp_uid: invoice.refunds.find((refund) => refund.id === row.entity_id)?.imp_uid ?? null,
    from: row.from_state,
    to: row.to_state,
    reason: row.reason,
    who: row.who,
  };
}

function attemptOf(file: CaseFile, attempt: CaseFile['invoice']['attempts'][number]) {
  const answers = file.invoice.hook_answers.filter((answer) => (answer.attempt_id ?? attempt.id) === attempt.id);
  const observations = file.observations.filter((observation) => observation.merchant_uid === attempt.merchant_uid);
  return {
    number: attempt.number,
    merchant_uid: attempt.merchant_uid,
    state: attempt.state,
    card: attempt.billing_key?.card_number_masked ?? null,
    leases: attempt.fence - expiries(file, attempt.id),
    leases_without_record: attempt.lease_count,
    sends: attempt.send_count,
    proved_not_sent: attempt.not_sent_count,
    first_sent_at: isoInstantOrNull(attempt.first_sent_at),
    sent_at: isoInstantOrNull(attempt.sent_at),
    answered_at: isoInstantOrNull(attempt.answered_at),
    imp_uid: attempt.imp_uid,
    decline_class: attempt.decline_class,
    card_blocked_until: isoInstantOrNull(attempt.card_blocked_until),
    fail_reason: attempt.fail_reason,
    hook_answers: answers.map(({ hook, kind, answer, created_at }) => ({
      hook,
      kind,
      answer,
      at: isoInstant(created_at),
    })),
    observations: observations.map((observation) => ({
      imp_uid: observation.imp_uid,
      status: observation.status,
      amount: observation.amount === null ? null : Number(observation.amount),
      currency: observation.currency,
      cancel_amount: Number(observation.cancel_amount),
      // What it was declined for, while it was; a decline that turned paid has no reason to fail.
      fail_reason: observation.status === 'failed' ? observation.fail_reason : null,
      learnt_by: observation.learnt_by,
      first_seen_at: isoInstant(observation.first_seen_at),
      last_seen_at: isoInstant(observation.last_seen_at),
      accounted_as: observation.accounted_as,
      accounted_at: isoInstantOrNull(observation.accounted_at),
      gone_at: isoInstantOrNull(observation.gone_at),
    })),
  };
}

/** How often a send was found without a report: each moved the fence with no lease. */
function expiries({ history }: CaseFile, attemptId: string): number {
  return history.filter(({ entity_id, reason }) => entity_id === attemptId && reason === NEVER_REPORTED).length;
}

/** An instant in a zone, to the second. */
export function localTime(at: Date | string, timezone: string): string {
  return DateTime.fromJSDate(new Date(at), { zone: timezone }).toFormat('yyyy-LL-dd HH:mm:ss');
}
