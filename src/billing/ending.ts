import type { DeclineDecision } from './dunning.ts';
import { WRITTEN_OFF } from './invoice.ts';
import type { DunningPolicy, SubscriptionEnd } from './policy.ts';

/** How an invoice ends that is declined to the last. */
export type Ending = {
  readonly state: 'uncollectible' | 'held';
  readonly reason: string;
  /** What becomes of its subscription; `accumulate` is past due, and without access. */
  readonly subscription: 'past_due' | 'accumulate' | SubscriptionEnd;
};

/** What it comes to under a policy that nothing follows a decline: the same for what is done and for what is told of it. */
export function endingOf(
  decision: Extract<DeclineDecision, { kind: 'hold' | 'give-up' }>,
  { end = 'unpaid', later = 'hold' }: DunningPolicy,
): Ending {
  if (decision.kind === 'hold') return { state: 'held', reason: decision.reason, subscription: 'past_due' };
  const { reason } = decision;
  if (end === 'write_off' || reason === WRITTEN_OFF)
    return { state: 'uncollectible', reason: WRITTEN_OFF, subscription: 'write_off' };
  return { state: 'uncollectible', reason, subscription: end === 'unpaid' && later === 'accumulate' ? later : end };
}
