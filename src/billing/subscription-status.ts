/** How a subscription stands, spelled as Stripe spells it. `trialing`, `active` and `past_due` are live. */
export type SubscriptionStatus = 'trialing' | 'active' | 'past_due' | 'unpaid' | 'paused' | 'canceled';

/** Where a subscription may go from each status. The database keeps the same chart by a trigger, and a test compares the two. */
export const SUBSCRIPTION_CHART: Readonly<Record<SubscriptionStatus, readonly SubscriptionStatus[]>> = {
  trialing: ['active', 'paused', 'canceled'],
  active: ['past_due', 'unpaid', 'paused', 'canceled'],
  past_due: ['active', 'unpaid', 'paused', 'canceled'],
  unpaid: ['active', 'past_due', 'paused', 'canceled'],
  paused: ['active', 'past_due', 'unpaid', 'canceled'],
  canceled: [],
};
