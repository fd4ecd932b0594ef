import type { UserBeforeHook } from 'maedal';

type Settings = {
  readonly percentOff: number;
  /** Your own ids of the subscriptions that came with the coupon. */
  readonly subscriptions: ReadonlySet<string>;
};

/** A coupon for the first three months: their price is lower, and the payer reads why. */
export function threeMonthsCoupon({ percentOff, subscriptions }: Settings): UserBeforeHook {
  return {
    name: 'three-months-coupon',
    run: ({ subscription, invoice }) => {
      if (invoice.periodNumber > 3 || !subscriptions.has(subscription.id)) return { kind: 'proceed' };
      // From the price, not from invoice.amount: at a second attempt that is the lower one already.
      const amount = Math.floor((subscription.amount * (100 - percentOff)) / 100);
      return { kind: 'adjust', amount, name: `${subscription.name} 쿠폰 ${invoice.periodNumber}/3`.slice(0, 40) };
    },
  };
}
