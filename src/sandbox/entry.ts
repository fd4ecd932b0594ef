import { z } from 'zod';
import { findTestCard } from './cards.ts';

const card = z.object({ name: z.string().refine((name) => findTestCard(name) !== null), masked: z.string() });

const person = z.object({
  name: z.string().nullable(),
  tel: z.string().nullable(),
  email: z.string().nullable(),
  addr: z.string().nullable(),
  postcode: z.string().nullable(),
});

const key = z.object({
  customerUid: z.string(),
  customerId: z.string().nullable(),
  /** Set for a super key: the routing group over which it was issued. */
  channelGroupId: z.string().nullable(),
  card,
  customer: person,
  pgProvider: z.string(),
  pgId: z.string(),
  /** Seconds since 1970, as PortOne tells them. */
  inserted: z.number(),
  updated: z.number(),
});

const cancel = z.object({
  cancellationId: z.string(),
  pgTid: z.string(),
  minor: z.number(),
  reason: z.string(),
  atMs: z.number(),
});

const payment = z.object({
  impUid: z.string(),
  merchantUid: z.string(),
  customerUid: z.string().nullable(),
  usage: z.enum(['payment', 'issue']).nullable(),
  card,
  cardQuota: z.number(),
  pgProvider: z.string(),
  pgId: z.string(),
  pgTid: z.string(),
  applyNum: z.string().nullable(),
  name: z.string().nullable(),
  minor: z.number(),
  currency: z.string(),
  buyer: person,
  customData: z.string().nullable(),
  /** Where a webhook of this payment would go instead of the console's address. */
  noticeUrl: z.string().nullable(),
  userAgent: z.string().nullable(),
  status: z.enum(['ready', 'paid', 'failed']),
  startedAtMs: z.number(),
  paidAtMs: z.number().nullable(),
  failedAtMs: z.number().nullable(),
  failReason: z.string().nullable(),
  cancels: z.array(cancel),
  /** When an undecided payment is captured after all; null once nothing more will happen by itself. */
  settlesAtMs: z.number().nullable(),
});

const entry = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('clock-moved'), offsetMs: z.number() }),
  z.object({ kind: z.literal('key-stored'), key }),
  z.object({ kind: z.literal('key-deleted'), customerUid: z.string() }),
  /** A payment record as it now stands, new or changed. */
  z.object({ kind: z.literal('payment'), payment }),
  /** A charge of which nobody hears until it is captured at `settlesAtMs`. */
  z.object({ kind: z.literal('capture-promised'), payment }),
  z.object({ kind: z.literal('promise-dropped'), impUid: z.string() }),
  z.object({ kind: z.literal('cancelled'), impUid: z.string(), cancel }),
]);

/** Names and addresses beside a key or a payment. */
export type Person = z.infer<typeof person>;
/** A stored card under its `customer_uid`. */
export type Key = z.infer<typeof key>;
/** One cancel, whole or partial, of a payment. */
export type Cancel = z.infer<typeof cancel>;
/** One payment record. Instants in ms since 1970, the amount in minor units. */
export type Payment = z.infer<typeof payment>;
/** One line of the ledger: something that happened, never changed afterwards. */
export type Entry = z.infer<typeof entry>;

/** Reads one line of a ledger file. Throws ZodError or SyntaxError for anything that is no entry. */
export function parseEntry(line: string): Entry {
  return entry.parse(JSON.parse(line));
}
