import type { AttemptStanding, Transition } from './attempt.ts';
import type { Decline } from './charge.ts';
import type { DeclineDecision } from './dunning.ts';
import { type Ending, endingOf } from './ending.ts';
import { AWAITING_CARD } from './invoice.ts';
import type { ChargeOutcome } from './outcome.ts';
import type { DunningPolicy } from './policy.ts';

/** What follows a decline, for the attempt and all that hangs on it. */
export function refused(
  standing: AttemptStanding,
  outcome: Extract<ChargeOutcome, { kind: 'declined' | 'rejected' }>,
  decision: DeclineDecision,
  policy: DunningPolicy,
): Transition {
  const { decline, unanswered } = outcome;
  const follows = afterFailure(decline, decision, policy);
  return {
    ...follows,
    // Proved absent and prepared again, it may turn out declined before it goes.
    from: outcome.kind === 'declined' ? ['prepared', 'sent', 'unknown'] : ['sent', 'unknown'],
    fence: 'fenced',
    decision: decision.kind,
    attempt: {
      state: outcome.kind,
      declineClass: decline.class,
      failReason: decline.reason,
      ...(outcome.kind === 'declined' ? { impUid: outcome.impUid } : {}),
      ...(unanswered > 0 && standing.sentAt !== null ? { unansweredAt: standing.sentAt } : {}),
    },
    invoice: { ...follows.invoice, failed: true },
    events: [{ kind: 'charge.failed', payload: payloadOf(decline) }, ...follows.events],
  };
}

/** The attempt stays as it ended; what follows for its invoice is decided anew. */
export function cardAwaited(
  { state }: AttemptStanding,
  decline: Decline,
  decision: DeclineDecision,
  policy: DunningPolicy,
): Transition {
  return {
    ...afterFailure(decline, decision, policy),
    from: [state],
    fence: 'fenced',
    whileAwaiting: true,
    decision: decision.kind,
    attempt: { state, declineClass: decline.class, failReason: decline.reason },
  };
}

/** What a decline means for invoice and subscription. */
function afterFailure(
  decline: Decline,
  decision: DeclineDecision,
  policy: DunningPolicy,
): Pick<Transition, 'invoice' | 'subscription' | 'events'> {
  const payload = payloadOf(decline);
  if (decision.kind === 'give-up' || decision.kind === 'hold') {
    const { state, reason, subscription } = endingOf(decision, policy);
    const told = state === 'held' ? { ...payload, reason } : payload;
    const events = [`invoice.${state}`, ...ENDING[subscription]].map((kind) => ({ kind, payload: told }));
    return { invoice: { state, reason }, subscription, events };
  }
  const next = { state: 'retrying', nextAt: decision.at } as const;
  if (decision.kind === 'await-card') {
    const until = { ...payload, until: decision.at.toUTC().toISO() };
    const events = ['invoice.card_needed', 'billing_key.needs_update'].map((kind) => ({ kind, payload: until }));
    return { invoice: { ...next, reason: AWAITING_CARD }, subscription: 'past_due', events };
  }
  const { cardId } = decision;
  return {
    invoice: { ...next, ...(cardId === null ? {} : { retryCardId: cardId }) },
    subscription: 'past_due',
    events: [],
  };
}

function payloadOf({ class: declineClass, reason }: Decline) {
  return { decline_class: declineClass, reason };
}

/** What else is told when an invoice was given up. */
const ENDING: Readonly<Record<Ending['subscription'], readonly string[]>> = {
  past_due: [],
  accumulate: [],
  unpaid: [],
  pause: ['subscription.paused'],
  cancel: ['subscription.canceled'],
  write_off: [],
};
