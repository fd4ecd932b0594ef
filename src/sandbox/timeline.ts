import type { Payment } from './entry.ts';
import { instantOf, type PaymentStatus, statusOf } from './standing.ts';

type Mark = { readonly atMs: number; readonly impUid: string };

/** Payments by status and by the instant that fits it, so that a window of any size is found without reading the rest. */
export class Timeline {
  readonly #marks: Readonly<Record<PaymentStatus | 'all', Mark[]>> = {
    all: [],
    ready: [],
    paid: [],
    failed: [],
    cancelled: [],
  };

  readonly #lists = new Map<string, readonly Payment[]>();

  /** Notes a payment as it now stands; `before` is what was noted of it last. */
  note(payment: Payment, before: Payment | undefined): void {
    this.#lists.clear();
    if (before === undefined) add(this.#marks.all, payment, 'all');
    else remove(this.#marks[statusOf(before)], before, statusOf(before));
    add(this.#marks[statusOf(payment)], payment, statusOf(payment));
  }

  /** The list that was made under this name, made anew once a payment has changed: pages of one list are many. */
  list(name: string, make: () => readonly Payment[]): readonly Payment[] {
    const list = this.#lists.get(name) ?? make();
    if (this.#lists.size >= MOST_LISTS) this.#lists.clear();
    this.#lists.set(name, list);
    return list;
  }

  /** The imp_uids whose instant is at least `fromMs` and before `untilMs`, the earliest first. */
  within(status: PaymentStatus | 'all', fromMs: number, untilMs: number): string[] {
    const marks = this.#marks[status];
    return marks.slice(firstAtOrAfter(marks, fromMs), firstAtOrAfter(marks, untilMs)).map(({ impUid }) => impUid);
  }
}

const MOST_LISTS = 16;

/** Behind those of the same instant; nearly always at the end. */
function add(marks: Mark[], payment: Payment, status: PaymentStatus | 'all'): void {
  const atMs = instantOf(payment, status);
  const last = marks.at(-1);
  const index = last === undefined || last.atMs <= atMs ? marks.length : firstAtOrAfter(marks, atMs + 1);
  marks.splice(index, 0, { atMs, impUid: payment.impUid });
}

function remove(marks: Mark[], payment: Payment, status: PaymentStatus): void {
  const start = firstAtOrAfter(marks, instantOf(payment, status));
  const index = marks.findIndex(({ impUid }, each) => each >= start && impUid === payment.impUid);
  if (index >= 0) marks.splice(index, 1);
}

function firstAtOrAfter(marks: readonly Mark[], ms: number): number {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((marks[middle]?.atMs ?? 0) < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}
