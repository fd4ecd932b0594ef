import { z } from 'zod';
import { findTestCard } from './cards.ts';

/**
 * The ledger file, `ledger.jsonl`: one JSON object a line, told apart by `kind`, only ever added to. A line stands in
 * the file, synced, before anybody can see its effect; what one request did stands behind the request's own line.
 * Instants are whole milliseconds since 1970, rounded down: `hostMs` by the host's clock, all others (`sandboxMs`,
 * `…AtMs`) by the sandbox's own, which people may move. Amounts (`minor`) are in the currency's smallest unit.
 *
 * - `request`: a charge or cancel arrived, whether or not it brings a valid token; written before it is looked at.
 * - `request-ended`: how that ended for the caller. A request without it was in flight when the file was copied or the
 *   sandbox died; then the next start adds it.
 * - `payment`, `capture-promised`, `promise-dropped`, `cancelled`: what became of money. A capture is the first
 *   `payment` of an `impUid` whose `status` is `paid`; `cause` tells who asked for it.
 * - `schedule`: a booked charge. A `payment` or `capture-promised` that a schedule caused makes it `executed`.
 * - `clock-moved`, `key-stored`, `key-deleted`.
 *
 * Fields are added, never changed or removed: older files have none of those with a default below.
 */

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

/** Who had a payment made: a request (`serial` null in files from before requests were written down), or nobody. */
const cause = z.discriminatedUnion('by', [
  z.object({ by: z.literal('request'), serial: z.number().nullable() }),
  z.object({ by: z.literal('schedule') }),
  /** PortOne's Recovery, after the declined payment `of`. */
  z.object({ by: z.literal('recovery'), of: z.string() }),
]);

const payment = z.object({
  impUid: z.string(),
  merchantUid: z.string(),
  customerUid: z.string().nullable(),
  usage: z.enum(['payment', 'issue', 'payment.scheduled']).nullable(),
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
  /** When the payment company takes the capture back by itself. */
  reversesAtMs: z.number().nullable().default(null),
  cause: cause.default({ by: 'request', serial: null }),
});

const schedule = z.object({
  customerUid: z.string(),
  merchantUid: z.string(),
  pgProvider: z.string(),
  pgId: z.string(),
  customerId: z.string().nullable(),
  scheduleAtMs: z.number(),
  minor: z.number(),
  currency: z.string(),
  name: z.string().nullable(),
  buyer: person,
  cardQuota: z.number(),
  customData: z.string().nullable(),
  noticeUrl: z.string().nullable(),
  status: z.enum(['scheduled', 'executed', 'revoked']),
  executedAtMs: z.number().nullable(),
  revokedAtMs: z.number().nullable(),
  impUid: z.string().nullable(),
  /** Why a charge that was due left no payment. */
  failReason: z.string().nullable(),
});

const request = z.object({
  kind: z.literal('request'),
  /** Counts from 1, over restarts. */
  serial: z.number(),
  route: z.enum(['again', 'onetime', 'cancel']),
  hostMs: z.number(),
  sandboxMs: z.number(),
  /** As sent; null where the field is absent or no text. */
  merchantUid: z.string().nullable(),
  customerUid: z.string().nullable(),
  impUid: z.string().nullable(),
  /** Null where there is none, or no amount of that currency. */
  minor: z.number().nullable(),
  currency: z.string().nullable(),
  customData: z.string().nullable(),
});

const requestEnded = z.object({
  kind: z.literal('request-ended'),
  serial: z.number(),
  hostMs: z.number(),
  sandboxMs: z.number(),
  /** `answered`: a whole answer was handed to the connection. `cut`: the connection ended without one. */
  how: z.enum(['answered', 'cut']),
  httpStatus: z.number().nullable(),
  /** Of the answer's envelope, where it has one. */
  code: z.number().nullable(),
  /** Of the payment in the answer. */
  status: z.string().nullable(),
  impUid: z.string().nullable(),
  /** The fault that struck the request. */
  fault: z.string().nullable(),
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
  /** A schedule as it now stands, new or changed. */
  z.object({ kind: z.literal('schedule'), schedule }),
  request,
  requestEnded,
]);

/** Names and addresses beside a key or a payment. */
export type Person = z.infer<typeof person>;
/** A stored card under its `customer_uid`. */
export type Key = z.infer<typeof key>;
/** One cancel, whole or partial, of a payment. */
export type Cancel = z.infer<typeof cancel>;
/** One payment record. Instants in ms since 1970, the amount in minor units. */
export type Payment = z.infer<typeof payment>;
/** A charge booked for later, under its `merchantUid`. */
export type Schedule = z.infer<typeof schedule>;
/** One line of the ledger: something that happened, never changed afterwards. */
export type Entry = z.infer<typeof entry>;

/** Reads one line of a ledger file. Throws ZodError or SyntaxError for anything that is no entry. */
export function parseEntry(line: string): Entry {
  return entry.parse(JSON.parse(line));
}
