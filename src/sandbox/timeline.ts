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

  /** Notes a payment as it now stands; `before` is what was noted of it last. */
  note(payment: Payment, before: Payment | undefined): void {
    if (before === undefined) add(this.#marks.all, payment, 'all');
    else remove(this.#marks[statusOf(before)], before, statusOf(before));
    add(this.#marks[statusOf(payment)], payment, statusOf(payment));
  }

  /** The imp_uids whose instant is at least `fromMs` and before `untilMs`, the earliest first. */
  within(status: PaymentStatus | 'all', fromMs: number, untilMs: number): string[] {
    const marks = this.#marks[status];
    return marks.slice(firstAtOrAfter(marks, fromMs), firstAtOrAfter(marks, untilMs)).map(({ impUid }) => impUid);
  }
}

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
