import type { UserBeforeHook } from 'maedal';

type Settings = {
  /** Your warehouse. Asked as `GET /stock/beans`, it answers `{ "available": 12 }`. */
  readonly warehouseUrl: string;
  /** What each plan ships, by the name of the plan. */
  readonly goods: Readonly<Record<string, string>>;
};

/** Charges nobody for what cannot be sent: while nothing is in stock, the charge waits for a day at a time. */
export function stockCheck({ warehouseUrl, goods }: Settings): UserBeforeHook {
  return {
    name: 'stock-check',
    timeoutMs: 3_000,
    run: async ({ subscription, now, signal }) => {
      const item = goods[subscription.plan ?? ''];
      if (item === undefined) return { kind: 'proceed' };
      const answer = await fetch(`${warehouseUrl}/stock/${encodeURIComponent(item)}`, { signal });
      if (!answer.ok) throw new Error(`the warehouse answered ${answer.status}`);
      const stock: unknown = await answer.json();
      if (!isStock(stock)) throw new Error(`the warehouse answered ${JSON.stringify(stock)}`);
      if (stock.available > 0) return { kind: 'proceed' };
      return { kind: 'defer', until: new Date(Date.parse(now) + DAY_MS) }; // after seven days it waits for a person
    },
  };
}

function isStock(value: unknown): value is { readonly available: number } {
  return typeof value === 'object' && value !== null && 'available' in value && Number.isSafeInteger(value.available);
}

const DAY_MS = 86_400_000;
