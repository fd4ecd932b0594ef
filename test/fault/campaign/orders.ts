import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** What people order about a subscription (`sub-1`), or about one of its invoices (`sub-1 2027-01-31`). */
export type OrderKind =
  | 'cancel'
  | 'cancel at period end'
  | 'pause'
  | 'resume'
  | 'change card'
  | 'retry'
  | 'void'
  | 'refund';

/** An order by the host's clock. One that was never heard of again may have been carried out, or still be. */
export type Order = {
  readonly kind: OrderKind;
  readonly subject: string;
  readonly askedMs: number;
  /** When somebody was told that it is done; null for never. */
  readonly doneMs: number | null;
};

/** A span in which nothing may be intended for a period; `untilMs` is Infinity for good. */
export type Bar = { readonly fromMs: number; readonly untilMs: number; readonly why: string };

/** Everything that people ordered, written down before it was asked for: the program's own audit is not believed. */
export class Orders {
  readonly #bySubject = new Map<string, Order[]>();
  readonly #file: string | null;

  /** `file` keeps them for a run that goes on where another one was cut off; null for none. */
  constructor(file: string | null) {
    this.#file = file;
    const lines = file !== null && existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
    for (const line of lines) this.#keep(JSON.parse(line));
  }

  /** Asks for something by `how`, which tells whether it was said to be done; resolves to the same. */
  async give(kind: OrderKind, subject: string, how: () => Promise<boolean>): Promise<boolean> {
    const order = { kind, subject, askedMs: Date.now(), doneMs: null };
    this.#write(order);
    const isDone = await how();
    if (isDone) this.#write({ ...order, doneMs: Date.now() });
    return isDone;
  }

  /** What was asked for that concerns a period, written as `subscription period`. */
  of(key: string): readonly Order[] {
    const [subscription = ''] = key.split(' ');
    return [subscription, key].flatMap((subject) => this.#bySubject.get(subject) ?? []);
  }

  #write(order: Order): void {
    if (this.#file !== null) appendFileSync(this.#file, `${JSON.stringify(order)}\n`);
    this.#keep(order);
  }

  /** What was done stands in the place of what was asked. */
  #keep(order: Order): void {
    const orders = this.#bySubject.get(order.subject) ?? [];
    const isSame = ({ kind, askedMs, doneMs }: Order) =>
      kind === order.kind && askedMs === order.askedMs && doneMs === null;
    const known = order.doneMs === null ? -1 : orders.findIndex(isSame);
    orders.splice(known < 0 ? orders.length : known, known < 0 ? 0 : 1, order);
    this.#bySubject.set(order.subject, orders);
  }
}

/**
 * When nothing may be intended any more: from the moment somebody was told that it was cancelled or void, for good; and
 * from when somebody was told of a pause until somebody asked for its end.
 */
export function barsOf(orders: readonly Order[]): readonly Bar[] {
  return orders.flatMap(({ kind, askedMs, doneMs }): Bar[] => {
    if (doneMs === null) return [];
    if (kind === 'cancel' || kind === 'void')
      return [{ fromMs: doneMs, untilMs: Number.POSITIVE_INFINITY, why: `its ${kind} was done` }];
    if (kind !== 'pause') return [];
    const resumed = orders.filter((other) => other.kind === 'resume' && other.askedMs >= askedMs);
    const untilMs = Math.min(...resumed.map((other) => other.askedMs));
    return untilMs > doneMs ? [{ fromMs: doneMs, untilMs, why: 'its pause was done' }] : [];
  });
}
