/** Where the merchant's code is called: ahead of a charge, and of what became of it. */
export const HOOK_POINTS = ['beforeCharge', 'afterCharge', 'onDunningStep', 'onSubscriptionChange', 'notify'] as const;
export type HookPoint = (typeof HOOK_POINTS)[number];

/** What a before-hook's failure comes to: the invoice is held, charged all the same, or asked about again. */
export const ON_ERROR = ['block', 'proceed', 'defer'] as const;
export type OnError = (typeof ON_ERROR)[number];

/** What a before-hook is told, as JSON. Amounts in minor units of `invoice.currency`, instants as ISO 8601 in UTC. */
export type BeforeCharge = {
  /** Name of the hook that is asked. */
  readonly hook: string;
  /** The same whenever the same attempt is asked about: what the hook does elsewhere, it does once under this key. */
  readonly idempotencyKey: string;
  /** Nobody is charged, whatever the answer is: `maedal hooks test`. */
  readonly dryRun: boolean;
  /** The database's clock. */
  readonly now: string;
  readonly subscription: {
    /** The merchant's own id. */
    readonly id: string;
    /** Name of its plan in the configuration; null for a price of its own. */
    readonly plan: string | null;
    readonly name: string;
    /** Price of a period. */
    readonly amount: number;
    readonly currency: string;
    readonly interval: 'day' | 'week' | 'month' | 'year';
    readonly intervalCount: number;
    readonly timezone: string;
  };
  readonly customer: {
    /** The merchant's own id. */
    readonly id: string;
    readonly name: string | null;
    readonly email: string | null;
    readonly tel: string | null;
  };
  readonly invoice: {
    readonly id: string;
    /** Local date on which the period starts, `2027-01-31`: one invoice for each. */
    readonly period: string;
    /** Counted from the anchor, from 1. */
    readonly periodNumber: number;
    readonly periodStart: string;
    /** Excluded: the start of the next period. */
    readonly periodEnd: string;
    readonly dueAt: string;
    /** What will be charged, as the hooks before this one and earlier attempts have it. */
    readonly amount: number;
    readonly currency: string;
    readonly taxFree: number;
    /** Null where PortOne computes it. */
    readonly vat: number | null;
    /** What the payer reads on the statement. */
    readonly name: string;
    /** The most that an answer may make of `amount`. */
    readonly ceiling: number;
  };
  readonly attempt: { readonly number: number; readonly merchantUid: string };
  /** Earlier attempts to collect this invoice, the first one first. */
  readonly previous: readonly PreviousOutcome[];
  readonly channel: { readonly name: string; readonly pg: string | null; readonly mode: 'test' | 'live' };
};

/** What came of an earlier attempt. `reason` is in the payment company's words. */
export type PreviousOutcome = {
  readonly number: number;
  readonly outcome: string;
  readonly declineClass: string | null;
  readonly reason: string | null;
  readonly sentAt: string | null;
  readonly answeredAt: string | null;
};

/** What a before-hook answers. Amounts are whole numbers of minor units: ₩1, 1¢. */
export type BeforeChargeAnswer =
  /** Charge as it stands. */
  | { readonly kind: 'proceed' }
  /**
   * Charge with what is named changed. The amount is asked once per invoice: later attempts may keep or lower it. Zero
   * waives the period. Above `invoice.ceiling` the invoice is held.
   */
  | {
      readonly kind: 'adjust';
      readonly amount?: number | undefined;
      /** What the payer reads on the statement: 1 to 40 characters. */
      readonly name?: string | undefined;
      /** The part of the amount that bears no tax. */
      readonly taxFree?: number | undefined;
      /** Null has PortOne compute it. */
      readonly vat?: number | null | undefined;
      /** Kept with PortOne's payment under `custom_data.merchant`: JSON of at most 4 KB. */
      readonly customData?: Readonly<Record<string, unknown>> | undefined;
    }
  /** Never charge this period: the invoice is waived. */
  | { readonly kind: 'skip'; readonly reason: string }
  /** Ask again then, an ISO 8601 instant with its offset. Seven days in total for an invoice; then it is held. */
  | { readonly kind: 'defer'; readonly until: string }
  /** Leave the invoice to a person. */
  | { readonly kind: 'hold'; readonly reason: string };
