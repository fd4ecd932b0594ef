import type { Payment } from './entry.ts';
import { type Fields, invalid, optionalText, wholeNumber } from './fields.ts';
import { instantOf, PAYMENT_STATUSES, type PaymentStatus, statusOf } from './standing.ts';

/** One page as V1 shows it: `previous` and `next` are page numbers, 0 where there is none. */
type Page<T> = {
  readonly total: number;
  readonly previous: number;
  readonly next: number;
  readonly list: readonly T[];
};

/** The page that the query asks for (`page`, `limit` 1 to 1000, 20 by default). Throws Refusal (400) out of range. */
export function pageOf<T>(items: readonly T[], query: Fields): Page<T> {
  const limit = wholeNumber(query, 'limit', { fallback: 20, min: 1, max: 1_000 });
  const last = Math.max(1, Math.ceil(items.length / limit));
  const page = wholeNumber(query, 'page', { fallback: 1, min: 1, max: last });
  return {
    total: items.length,
    previous: page - 1,
    next: page < last ? page + 1 : 0,
    list: items.slice((page - 1) * limit, page * limit),
  };
}

/** All payments in two pages whatever `limit` says: those that are not paid, even if there are none, then the paid ones. */
export function paidOnPage2(payments: readonly Payment[], query: Fields): Page<Payment> {
  const page = wholeNumber(query, 'page', { fallback: 1, min: 1, max: 2 });
  const list = payments.filter((payment) => (statusOf(payment) === 'paid') === (page === 2));
  return { total: payments.length, previous: page - 1, next: page === 1 ? 2 : 0, list };
}

/**
 * Sorts payments, given in the order in which they appeared, as `sorting` asks: `started`, `paid` or `updated`, with a
 * `-` for newest first; `-started` by default. Throws Refusal (400) for anything else.
 */
export function sorted(payments: readonly Payment[], query: Fields): readonly Payment[] {
  const sorting = optionalText(query, 'sorting') ?? '-started';
  const sortsBy = SORTINGS.get(sorting.replace(/^-/, ''));
  if (sortsBy === undefined) throw invalid('지원되지 않는 정렬값입니다.');
  if (!sorting.startsWith('-')) return [...payments].sort((a, b) => sortsBy(a) - sortsBy(b));
  return payments.toReversed().sort((a, b) => sortsBy(b) - sortsBy(a)); // of one instant, the later record first
}

/** A status of V1, or `all`. Throws Refusal (400) for anything else (R6, R7). */
export function readStatus(text: string): PaymentStatus | 'all' {
  const status = [...PAYMENT_STATUSES, 'all' as const].find((name) => name === text);
  if (status === undefined) throw invalid('지원되지 않는 상태값입니다.');
  return status;
}

/** Keeps the payments in one status. */
export function withStatus(payments: readonly Payment[], status: PaymentStatus | 'all'): readonly Payment[] {
  return status === 'all' ? payments : payments.filter((payment) => statusOf(payment) === status);
}

/** From an instant, before another one. */
type Window = { readonly fromMs: number; readonly untilMs: number };

/**
 * The window of a query, `from` to `to` in seconds and both included: the last 90 days by default and 90 days at most,
 * else throws Refusal (400).
 */
export function windowOf(query: Fields, nowSeconds: number): Window {
  const bounds = { min: 0, max: Number.MAX_SAFE_INTEGER };
  const to = wholeNumber(query, 'to', { fallback: nowSeconds, ...bounds });
  const from = wholeNumber(query, 'from', { fallback: Math.max(0, to - NINETY_DAYS_SECONDS), ...bounds });
  if (from > to || to - from > NINETY_DAYS_SECONDS) throw invalid('조회 기간은 최대 90일입니다.');
  return { fromMs: from * 1_000, untilMs: (to + 1) * 1_000 };
}

/** Keeps the payments whose instant, the one that fits the status, lies in the window. */
export function withinWindow(
  payments: readonly Payment[],
  status: PaymentStatus | 'all',
  { fromMs, untilMs }: Window,
): readonly Payment[] {
  return payments.filter((payment) => {
    const atMs = instantOf(payment, status);
    return fromMs <= atMs && atMs < untilMs;
  });
}

function updatedAt(payment: Payment): number {
  return Math.max(...PAYMENT_STATUSES.map((status) => instantOf(payment, status)));
}

const SORTINGS = new Map([
  ['started', (payment: Payment) => instantOf(payment, 'all')],
  ['paid', (payment: Payment) => instantOf(payment, 'paid')],
  ['updated', updatedAt],
]);
const NINETY_DAYS_SECONDS = 90 * 86_400;
