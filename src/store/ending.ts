import type { DateTime } from 'luxon';
import type { DeclineClass } from '../billing/charge.ts';
import type { Decision } from '../billing/dunning.ts';
import type { ChargeOutcome } from '../billing/outcome.ts';
import type { LeasedAttempt } from './lease.ts';

type AttemptState = 'prepared' | 'sent' | 'unknown' | 'paid' | 'declined' | 'rejected' | 'review' | 'canceled';

/** What a decision means for the rows, as `record` writes it. */
export type Ending = {
  /** The attempt's states that this may follow. */
  readonly from: readonly AttemptState[];
  /** Whether a newer lease overrules it. */
  readonly fenced: boolean;
  readonly attempt: {
    readonly state: AttemptState;
    readonly impUid?: string;
    readonly declineClass?: DeclineClass;
    readonly failReason?: string;
    /** The intent, if there was one, is proved unsent. */
    readonly notSent?: boolean;
  };
  readonly invoice: {
    readonly state: 'open' | 'retrying' | 'held' | 'review' | 'paid' | 'void' | 'uncollectible';
    readonly reason?: string;
    readonly nextAt?: DateTime;
    /** Whether this counts as one of the payer's failures. */
    readonly failed?: boolean;
  };
  readonly subscription?: 'past_due' | 'unpaid' | 'settled';
  readonly events: readonly { readonly kind: string; readonly payload: Record<string, unknown> }[];
};

/** Translates outcome and decision into rows. Throws on a pair that the core cannot have decided. */
export function endingOf(attempt: LeasedAttempt, outcome: ChargeOutcome, decision: Decision): Ending {
  switch (outcome.kind) {
    case 'paid':
      return paid(outcome.record.impUid);
    case 'declined':
    case 'rejected':
      return refused(outcome, decision);
    case 'not-sent':
      return {
        from: ['prepared', 'sent'],
        fenced: true,
        attempt: { state: 'prepared', failReason: outcome.reason, notSent: true },
        invoice: { state: standingState(attempt), nextAt: at(decision) },
        events: [],
      };
    case 'unknown':
      return {
        from: ['sent', 'unknown'],
        fenced: true,
        attempt: { state: 'unknown', failReason: outcome.reason },
        invoice: { state: standingState(attempt), nextAt: at(decision) },
        events: attempt.state === 'prepared' ? [{ kind: 'charge.unknown', payload: { reason: outcome.reason } }] : [],
      };
    case 'review':
      return {
        from: ['prepared', 'sent', 'unknown'],
        fenced: true,
        attempt: { state: 'review', failReason: outcome.reason },
        invoice: { state: 'review', reason: outcome.reason },
        events: [{ kind: 'invoice.needs_review', payload: { reason: outcome.reason } }],
      };
  }
}

function paid(impUid: string): Ending {
  return {
    from: ['prepared', 'sent', 'unknown'],
    fenced: false,
    attempt: { state: 'paid', impUid },
    invoice: { state: 'paid' },
    subscription: 'settled',
    events: ['charge.succeeded', 'invoice.paid'].map((kind) => ({ kind, payload: { imp_uid: impUid } })),
  };
}

function refused(outcome: Extract<ChargeOutcome, { kind: 'declined' | 'rejected' }>, decision: Decision): Ending {
  const { decline } = outcome;
  const payload = { decline_class: decline.class, reason: decline.reason };
  const base = {
    from: ['sent', 'unknown'] as const,
    fenced: true,
    attempt: {
      state: outcome.kind,
      declineClass: decline.class,
      failReason: decline.reason,
      ...(outcome.kind === 'declined' ? { impUid: outcome.impUid } : {}),
    },
  };
  if (decision.kind === 'give-up') {
    const kinds = ['charge.failed', 'invoice.uncollectible'];
    return {
      ...base,
      invoice: { state: 'uncollectible', reason: decision.reason, failed: true },
      subscription: 'unpaid',
      events: kinds.map((kind) => ({ kind, payload })),
    };
  }
  return {
    ...base,
    invoice: { state: 'retrying', nextAt: at(decision), failed: true },
    subscription: 'past_due',
    events: [{ kind: 'charge.failed', payload }],
  };
}

/** An invoice with a failure behind it stays `retrying` while its next attempt is under way. */
function standingState(attempt: LeasedAttempt): 'open' | 'retrying' {
  return attempt.failures > 0 ? 'retrying' : 'open';
}

function at(decision: Decision): DateTime {
  if (!('at' in decision)) throw new Error(`a decision to ${decision.kind} names no instant`);
  return decision.at;
}
