import type { SimulatedAttempt } from '../store/simulated-attempts.ts';

/** What became of an attempt as far as it is known: `held` waits for a person. */
export type Outcome = 'paid' | 'declined' | 'rejected' | 'unknown' | 'waived' | 'held';

/** An attempt as `--json` shows it, a line each. Instants in UTC, the amount in minor units. */
export type Line = {
  /** When it was due. */
  readonly at: string;
  /** The merchant's own. */
  readonly subscription_id: string;
  readonly period: string;
  readonly period_start: string;
  readonly period_end: string;
  /** Null, and so the `merchant_uid`, for a period of which none was made. */
  readonly attempt: number | null;
  readonly merchant_uid: string | null;
  readonly amount: number;
  readonly currency: string;
  readonly outcome: Outcome;
  readonly decline_class: string | null;
  /** When something happens to the invoice next; null where nothing does by itself. */
  readonly next: string | null;
};

/** Puts an attempt as a line. */
export function lineOf(attempt: SimulatedAttempt): Line {
  return {
    at: iso(attempt.attemptDueAt ?? attempt.dueAt),
    subscription_id: attempt.subscription,
    period: attempt.periodKey,
    period_start: iso(attempt.periodStart),
    period_end: iso(attempt.periodEnd),
    attempt: attempt.number,
    merchant_uid: attempt.merchantUid,
    amount: attempt.amount,
    currency: attempt.currency,
    outcome: outcomeOf(attempt),
    decline_class: attempt.declineClass,
    next: nextOf(attempt),
  };
}

/** UTC with `Z`, milliseconds only where there are any. */
export function iso(date: Date): string {
  return date.toISOString().replace('.000Z', 'Z');
}

function outcomeOf({ state, invoiceState }: SimulatedAttempt): Outcome {
  switch (state) {
    case 'paid':
    case 'declined':
    case 'rejected':
      return state;
    case 'review':
      return 'held';
    case 'canceled':
    case null:
      return invoiceState === 'held' || invoiceState === 'review' ? 'held' : 'waived';
    default: // sent or to be sent, and the time was over before it was known
      return 'unknown';
  }
}

function nextOf({ followedAt, invoiceNextAt }: SimulatedAttempt): string | null {
  const next = followedAt ?? invoiceNextAt;
  return next === null ? null : iso(next);
}
