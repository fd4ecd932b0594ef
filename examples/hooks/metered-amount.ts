import type { UserBeforeHook } from 'maedal';

type Settings = {
  /** Your meter. Asked as `GET /usage?subscription=…&before=…`, it answers `{ "units": 1234 }`. */
  readonly meterUrl: string;
  readonly token: string;
  /** The plan that is charged by use. */
  readonly plan: string;
  readonly includedUnits: number;
  /** Minor units of the plan's currency for each unit above those. */
  readonly pricePerUnit: number;
};

/** Usage-based amount: the plan's price, and what was used above the units in it up to the start of the period. */
export function meteredAmount({ meterUrl, token, plan, includedUnits, pricePerUnit }: Settings): UserBeforeHook {
  return {
    name: 'metered-amount',
    timeoutMs: 5_000,
    onError: 'defer', // without the meter nobody knows the amount: ask again, for up to seven days
    run: async ({ subscription, invoice, previous, signal, logger }) => {
      if (subscription.plan !== plan) return { kind: 'proceed' };
      if (previous.some(({ sentAt }) => sentAt !== null)) return { kind: 'proceed' }; // what was asked for once stands
      const query = new URLSearchParams({ subscription: subscription.id, before: invoice.periodStart });
      const answer = await fetch(`${meterUrl}/usage?${query}`, {
        signal,
        headers: { authorization: `Bearer ${token}` },
      });
      if (!answer.ok) throw new Error(`the meter answered ${answer.status}`);
      const usage: unknown = await answer.json();
      if (!isUsage(usage)) throw new Error(`the meter answered ${JSON.stringify(usage)}`);
      const amount = subscription.amount + Math.max(usage.units - includedUnits, 0) * pricePerUnit;
      if (amount > invoice.ceiling) logger.warn('used more than the plan allows', { amount, ceiling: invoice.ceiling });
      return { kind: 'adjust', amount, customData: { units: usage.units } };
    },
  };
}

function isUsage(value: unknown): value is { readonly units: number } {
  return typeof value === 'object' && value !== null && 'units' in value && Number.isSafeInteger(value.units);
}
