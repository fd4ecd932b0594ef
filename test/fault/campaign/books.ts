import { open } from 'node:fs/promises';
import { z } from 'zod';
import type { Entry, Payment } from '../../../src/sandbox/entry.ts';
import { LedgerReader } from '../../../src/sandbox/ledger-file.ts';

/** A charge for one subscription and period as the gateway saw it: `request` and how it ended. */
export type Post = {
  readonly serial: number;
  readonly merchantUid: string;
  readonly key: string;
  readonly hostMs: number;
  readonly sandboxMs: number;
  readonly minor: number | null;
  readonly currency: string | null;
  readonly customerUid: string | null;
  endedMs: number | null;
  fault: string | null;
};

/** What was captured for one subscription and period. */
export type Capture = {
  readonly payment: Payment;
  cancelledMinor: number;
};

/** Something that must not be, about one subscription and period or about none. */
export type Violation = { readonly invariant: string; readonly key: string | null; readonly what: string };

/**
 * The gateway's side, from its own file alone: reads nothing of the program under test, and judges after every line.
 * A charge is counted under the `subscription period` that it carries in `custom_data`.
 */
export class Books {
  readonly captures = new Map<string, Capture[]>();
  readonly posts = new Map<string, Post[]>();
  /** Every charge that arrived. */
  readonly inOrder: Post[] = [];
  readonly records = new Map<string, Payment>();
  readonly lines = new Map<string, Entry[]>();
  readonly violations: Violation[] = [];
  /** How many calls of any kind reached the gateway. */
  arrived = 0;
  readonly #bySerial = new Map<number, Post>();
  readonly #mayDouble: boolean;
  /** When what is undecided at the gateway is captured after all, by imp_uid. */
  readonly #pending = new Map<string, number>();
  #captured = 0;
  #doubles = 0;

  constructor(mayDouble: boolean) {
    this.#mayDouble = mayDouble;
  }

  get captured(): number {
    return this.#captured;
  }

  /** Periods that were captured more than once at any instant. */
  get doubles(): number {
    return this.#doubles;
  }

  /** The next instant at which something is captured by itself; null for nothing. */
  get nextCaptureMs(): number | null {
    return this.#pending.size === 0 ? null : Math.min(...this.#pending.values());
  }

  /** Captures less what was given back in full. */
  net(key: string): number {
    const whole = (this.captures.get(key) ?? []).filter(
      ({ payment, cancelledMinor }) => cancelledMinor < payment.minor,
    );
    return whole.length;
  }

  add(entry: Entry): void {
    if (entry.kind === 'request') this.#arrived(entry);
    if (entry.kind === 'request-ended') this.#ended(entry);
    if (entry.kind === 'payment' || entry.kind === 'capture-promised') this.#paid(entry, entry.payment);
    if (entry.kind === 'promise-dropped') this.#pending.delete(entry.impUid);
    if (entry.kind === 'cancelled') this.#cancelled(entry);
  }

  #arrived(entry: Extract<Entry, { kind: 'request' }>): void {
    this.arrived += 1;
    const key = keyOf(entry.customData);
    if (entry.route !== 'again' || key === null || entry.merchantUid === null) return;
    const { serial, merchantUid, hostMs, sandboxMs, minor, currency, customerUid } = entry;
    const post = {
      serial,
      merchantUid,
      key,
      hostMs,
      sandboxMs,
      minor,
      currency,
      customerUid,
      endedMs: null,
      fault: null,
    };
    const posts = listed(this.posts, key);
    const open = posts.find((other) => other.endedMs === null);
    posts.push(post);
    this.inOrder.push(post);
    this.#bySerial.set(serial, post);
    listed(this.lines, key).push(entry);
    if (open === undefined) return;
    this.#complain('I6', key, `request ${serial} (${merchantUid}) arrived while ${open.serial} was in flight`);
  }

  #ended(entry: Extract<Entry, { kind: 'request-ended' }>): void {
    const post = this.#bySerial.get(entry.serial);
    if (post === undefined) return;
    post.endedMs = entry.hostMs;
    post.fault = entry.fault;
    listed(this.lines, post.key).push(entry);
  }

  #paid(entry: Entry, payment: Payment): void {
    const key = keyOf(payment.customData);
    if (key === null) return;
    const before = this.records.get(payment.impUid);
    listed(this.lines, key).push(entry);
    this.#pending.delete(payment.impUid);
    const ends = [payment.settlesAtMs, payment.reversesAtMs].filter((at) => at !== null);
    if (ends.length > 0) this.#pending.set(payment.impUid, Math.min(...ends));
    if (entry.kind !== 'payment') return;
    this.records.set(payment.impUid, payment);
    if (payment.paidAtMs === null || before?.status === 'paid') return;
    this.#captured += 1;
    const captures = listed(this.captures, key);
    captures.push({ payment, cancelledMinor: 0 });
    if (this.net(key) <= 1) return;
    this.#doubles += 1;
    if (!this.#mayDouble) this.#complain('I1', key, `captured ${this.net(key)} times: ${impUids(captures)}`);
  }

  #cancelled({ impUid, cancel, ...entry }: Extract<Entry, { kind: 'cancelled' }>): void {
    this.#pending.delete(impUid);
    const key = keyOf(this.records.get(impUid)?.customData ?? null);
    const capture = this.captures.get(key ?? '')?.find(({ payment }) => payment.impUid === impUid);
    if (key === null || capture === undefined) return;
    capture.cancelledMinor += cancel.minor;
    listed(this.lines, key).push({ ...entry, impUid, cancel });
  }

  #complain(invariant: string, key: string, what: string): void {
    this.violations.push({ invariant, key, what });
  }
}

/** Follows the gateway's file: each `read` adds what was written since. */
export class BooksReader {
  readonly books: Books;
  readonly #path: string;
  readonly #reader: LedgerReader;
  #position = 0;

  constructor(path: string, books: Books) {
    this.#path = path;
    this.books = books;
    this.#reader = new LedgerReader(path);
  }

  async read(): Promise<void> {
    const file = await open(this.#path, 'r');
    try {
      const chunk = Buffer.alloc(1 << 20);
      for (;;) {
        const { bytesRead } = await file.read(chunk, 0, chunk.length, this.#position);
        if (bytesRead === 0) return;
        this.#position += bytesRead;
        for (const entry of this.#reader.read(chunk.subarray(0, bytesRead))) this.books.add(entry);
      }
    } finally {
      await file.close();
    }
  }
}

function keyOf(customData: string | null): string | null {
  const read = CustomData.safeParse(parsed(customData ?? ''));
  return read.success ? `${read.data.subscription} ${read.data.period}` : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function listed<Item>(lists: Map<string, Item[]>, key: string): Item[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

function impUids(captures: readonly Capture[]): string {
  return captures.map(({ payment }) => `${payment.impUid} (${payment.merchantUid})`).join(', ');
}

const CustomData = z.object({ subscription: z.string(), period: z.string() });
