import {
  BEING_DRAWN_UP,
  isBeingDrawnUp,
  type SubscriptionJudgement,
  type SubscriptionStanding,
  type Terms,
} from './subscription-order.ts';

/**
 * Judges a change of plan or price. It holds from the next period on: one that has begun keeps its amount, and is drawn up first.
 * Another rhythm or currency would be another subscription: its periods could not follow the ones that were paid.
 */
export function judgeTerms(
  terms: Terms,
  standing: SubscriptionStanding & { readonly currency: string },
): SubscriptionJudgement {
  const { status, currency, schedule } = standing;
  const { every, price } = terms;
  if (status === 'canceled') return { kind: 'refused', because: 'it is canceled, and that is final' };
  if (price !== undefined && price.currency !== currency)
    return { kind: 'refused', because: `it is paid in ${currency}, and not in ${price.currency}` };
  if (every !== undefined && (every.interval !== schedule.interval || every.intervalCount !== schedule.intervalCount))
    return {
      kind: 'refused',
      because: `it is billed every ${rhythm(schedule)}, and ${terms.plan} every ${rhythm(every)}`,
    };
  if (isBeingDrawnUp(standing)) return { kind: 'refused', because: BEING_DRAWN_UP };
  return { kind: 'change', change: { terms, event: 'subscription.plan_changed' } };
}

function rhythm({ interval, intervalCount }: NonNullable<Terms['every']>): string {
  return intervalCount === 1 ? interval : `${intervalCount} ${interval}s`;
}
