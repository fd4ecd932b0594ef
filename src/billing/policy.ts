import { DECLINE_CLASSES, type DeclineClass } from './charge.ts';

/** When a declined charge is tried again: days after the due date, or the next payday after the try before, once its gap is over. */
export type Rung = number | 'payday';

/**
 * Which card is tried: `same` this one alone, `next` the payer's other cards first and then this one again, `other` never
 * this one again.
 */
export type CardChoice = 'same' | 'next' | 'other';

/** What declines of one class lead to. */
export type ClassRule = { readonly retryAfterDays: readonly Rung[]; readonly card: CardChoice };

/** A span of local time in which retries are made, `HH:mm` on the same day; `until` is excluded. */
export type RetryWindow = { readonly from: string; readonly until: string; readonly timezone: string };

/** What a subscriber may use: all of it, all of it although something is owed, or nothing. */
export type Access = 'full' | 'grace' | 'suspended';

/** What happens on a day after the due date on which an invoice is still unpaid: it is told, and access may change. */
export type Step = { readonly name: string; readonly afterDays: number; readonly access?: Access | undefined };

/** What becomes of a subscription whose invoice was given up: `write_off` lets it go on. */
export type SubscriptionEnd = 'unpaid' | 'pause' | 'cancel' | 'write_off';

/** What later periods do meanwhile: they wait until it has recovered, or are collected as they fall due. */
export type LaterInvoices = 'hold' | 'accumulate';

/**
 * How a declined invoice is collected. Stored with the invoice as the version that drove it; what versions of before lack
 * is optional here, and does nothing where it is left out.
 */
export type DunningPolicy = {
  /** The rungs of every class that has no rule of its own; past the last one the invoice is uncollectible. */
  readonly retryAfterDays: readonly Rung[];
  /** Hours between two attempts of one invoice on one card at least, also after an outage. */
  readonly minGapHours: number;
  readonly classes?: Readonly<Partial<Record<DeclineClass, ClassRule>>>;
  readonly window?: RetryWindow | null;
  /** Days of the month, in the window's zone; one that a month lacks is its last day. */
  readonly paydays?: readonly number[];
  /** Retries are spread over so many minutes, by a number that stays the same for one invoice. */
  readonly jitterMinutes?: number;
  /** At most so many declines on one card in so many days, across invoices. */
  readonly perCard?: { readonly declines: number; readonly days: number } | null;
  /** Days after the last attempt for which another card is waited for once no card is left to try. */
  readonly waitForCardDays?: number;
  /** By their days, rising. Without any, access stays `grace` to the end. */
  readonly steps?: readonly Step[];
  readonly end?: SubscriptionEnd;
  /** Of a subscription that ends `unpaid`. */
  readonly later?: LaterInvoices;
};

/** What a decline of this class leads to under a policy. */
export function ruleFor(policy: DunningPolicy, declined: DeclineClass): ClassRule {
  return policy.classes?.[declined] ?? { retryAfterDays: policy.retryAfterDays, card: 'same' };
}

/**
 * The last day after the due date on which an invoice may still be collected. Another card is waited for after the decline of
 * a class that never tries its card again, whichever rung that comes on.
 */
export function lastDay(policy: DunningPolicy): number {
  const rules = DECLINE_CLASSES.map((name) => ruleFor(policy, name));
  const gapDays = Math.ceil(policy.minGapHours / 24);
  const payday = gapDays + longestToPayday(policy.paydays ?? []);
  const days = rules.map(({ retryAfterDays: ladder }) =>
    ladder.reduce<number>((day, rung) => Math.max(rung === 'payday' ? day + payday : rung, day + gapDays), 0),
  );
  return Math.max(...days) + waitDays(policy);
}

/** For how many days another card is waited for, where any class has that done. */
export function waitDays(policy: DunningPolicy): number {
  const waits = DECLINE_CLASSES.some((name) => ruleFor(policy, name).card === 'other');
  return waits ? (policy.waitForCardDays ?? 0) : 0;
}

/** Days from one payday to the next at most, in any month. */
function longestToPayday(paydays: readonly number[]): number {
  const days = [...paydays].sort((one, other) => one - other);
  const nextMonth = (days[0] ?? 1) + 31;
  return Math.max(1, ...days.map((day, index) => (days[index + 1] ?? nextMonth) - day));
}

/** The largest number of attempts that a policy may come to before a person is asked, with so many cards. */
export function mostAttempts(policy: DunningPolicy, cards: number): number {
  return (mostDeclines(policy) + ruleFor(policy, 'config').retryAfterDays.length) * Math.max(1, cards);
}

/** The largest number of declines of one invoice on one card; those for the merchant's own account are not the card's. */
export function mostDeclines(policy: DunningPolicy): number {
  const classes = DECLINE_CLASSES.filter((name) => name !== 'config');
  return 1 + Math.max(...classes.map((name) => ruleFor(policy, name).retryAfterDays.length));
}
