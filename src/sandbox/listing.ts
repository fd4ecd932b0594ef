import type { Payment } from './entry.ts';
import { type Fields, invalid, optionalText, wholeNumber } from './fields.ts';
import { statusOf } from './state.ts';

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

/**
 * Sorts payments, given in the order in which they appeared, as `sorting` asks: `started`, `paid` or `updated`, with a
 * `-` for newest first; `-started` by default. Throws Refusal (400) for anything else.
 */
export function sorted(payments: readonly Payment[], query: Fields): readonly Payment[] {
  const sorting = optionalText(query, 'sorting') ?? '-started';
  const instantOf = SORTINGS.get(sorting.replace(/^-/, ''));
  if (instantOf === undefined) throw invalid('지원되지 않는 정렬값입니다.');
  if (!sorting.startsWith('-')) return [...payments].sort((a, b) => instantOf(a) - instantOf(b));
  return payments.toReversed().sort((a, b) => instantOf(b) - instantOf(a)); // of one instant, the later record first
}

/** Keeps the payments in one state; null or `all` keeps them all. Throws Refusal (400) for an unknown state (R6, R7). */
export function withStatus(payments: readonly Payment[], status: string | null): readonly Payment[] {
  if (status === null || status === 'all') return payments;
  if (!INSTANTS_BY_STATUS.has(status)) throw invalid('지원되지 않는 상태값입니다.');
  return payments.filter((payment) => statusOf(payment) === status);
}

/**
 * Keeps the payments whose instant, the one that fits the status, lies in `from` to `to` (seconds, inclusive): the last
 * 90 days by default and 90 days at most, else throws Refusal (400).
 */
export function withinWindow(
  payments: readonly Payment[],
  { status, query, nowSeconds }: { readonly status: string; readonly query: Fields; readonly nowSeconds: number },
): readonly Payment[] {
  const bounds = { min: 0, max: Number.MAX_SAFE_INTEGER };
  const to = wholeNumber(query, 'to', { fallback: nowSeconds, ...bounds });
  const from = wholeNumber(query, 'from', { fallback: Math.max(0, to - NINETY_DAYS_SECONDS), ...bounds });
  if (from > to || to - from > NINETY_DAYS_SECONDS) throw invalid('조회 기간은 최대 90일입니다.');
  const instantOf = INSTANTS_BY_STATUS.get(status) ?? startedAt;
  return payments.filter((payment) => {
    const instant = Math.floor(instantOf(payment) / 1_000);
    return from <= instant && instant <= to;
  });
}

function startedAt(payment: Payment): number {
  return payment.startedAtMs;
}

function paidAt(payment: Payment): number {
  return payment.paidAtMs ?? 0;
}

function failedAt(payment: Payment): number {
  return payment.failedAtMs ?? 0;
}

function cancelledAt(payment: Payment): number {
  return payment.cancels.at(-1)?.atMs ?? 0;
}

function updatedAt(payment: Payment): number {
  return Math.max(startedAt(payment), paidAt(payment), failedAt(payment), cancelledAt(payment));
}

const SORTINGS = new Map([
  ['started', startedAt],
  ['paid', paidAt],
  ['updated', updatedAt],
]);
const INSTANTS_BY_STATUS = new Map([
  ['ready', startedAt],
  ['paid', paidAt],
  ['failed', failedAt],
  ['cancelled', cancelledAt],
]);
const NINETY_DAYS_SECONDS = 90 * 86_400;
