import { priceOf } from './subscribers.ts';

/** The before-hooks of the processes under test, in the order in which they are asked: two URLs and a function. */
export const BEFORE_HOOKS = ['coupon', 'stock', 'loyal'] as const;
/** How often one is asked at most by who takes an attempt up: a function whose thread ended beside it, once more at once. */
export const ASKED_AT_MOST: Readonly<Record<(typeof BEFORE_HOOKS)[number], number>> = { coupon: 1, stock: 1, loyal: 2 };

/** What `coupon` makes of a price: every fourth subscription pays half. */
export function halvedOf(number: number): number {
  return number % HALVED_EVERY === 0 ? priceOf(number) / 2 : priceOf(number);
}

/** What all hooks together make of a price: `loyal` has every fifth subscription pay a little less. */
export function chargedOf(number: number): number {
  return halvedOf(number) - (isLoyal(number) ? LESS : 0);
}

/** Whether `loyal` has a subscription pay less. */
export function isLoyal(number: number): boolean {
  return number % LOYAL_EVERY === 2;
}

/** Whether the charges of a subscription are put off once, each attempt for a little while. */
export function isPutOff(number: number): boolean {
  return number % PUT_OFF_EVERY === 3;
}

const HALVED_EVERY = 4;
const LOYAL_EVERY = 5;
const LESS = 100;
const PUT_OFF_EVERY = 7;
