import { z } from 'zod';
import type { Cancellation, PaymentRecord } from '../../billing/charge.ts';
import { fromMajor } from '../../billing/money.ts';
import { declineOf } from './decline-codes.ts';
import type { DeclineLines } from './declines/lines.ts';
import type { Answer } from './exchange.ts';
import { maskedCardNumber, oneLine, plainText, readJson } from './text.ts';

/** PortOne's own frame around every answer, whatever the HTTP status (fact sheet §2.1). */
export type Envelope = { readonly code: number; readonly message: string; readonly response: unknown };

/** Reads the frame; null unless the answer is whole, plain JSON in PortOne's shape. New fields are ignored. */
export function readEnvelope(answer: Answer): Envelope | null {
  const contentType = answer.headers['content-type'];
  if (typeof contentType !== 'string' || !/^application\/json\s*(;|$)/i.test(contentType)) return null;
  if ((answer.headers['content-encoding'] ?? 'identity') !== 'identity') return null;
  const parsed = envelopeSchema.safeParse(parseJson(answer.body));
  if (!parsed.success) return null;
  const { code, message, response } = parsed.data;
  return response === undefined ? null : { code, message: message ?? '', response };
}

/** The message of a refusal in PortOne's own shape (`code` ≠ 0 and nothing in `response`); null for all else. */
export function refusalIn(envelope: Envelope | null): string | null {
  return envelope !== null && envelope.code !== 0 && envelope.response === null ? envelope.message : null;
}

/** Reads one payment, its decline by `lines` first; null when a field that decides about money is missing or odd. */
export function readPayment(value: unknown, lines: DeclineLines): PaymentRecord | null {
  const parsed = paymentSchema.safeParse(value);
  if (!parsed.success) return null;
  const payment = parsed.data;
  const cancelled = payment.cancel_amount === 0 ? 0 : fromMajor(payment.cancel_amount, payment.currency)?.minor;
  if (cancelled === undefined) return null;
  const cancellations = readCancellations(value);
  return {
    impUid: payment.imp_uid,
    merchantUid: payment.merchant_uid,
    status: payment.status,
    amount: fromMajor(payment.amount, payment.currency),
    cancelMinor: cancelled,
    ...(cancellations.length > 0 ? { cancellations } : {}),
    customerUid: payment.customer_uid ?? null,
    sandbox: payment.sandbox ?? null,
    decline:
      payment.status === 'failed' ? declineOf(payment.fail_reason ?? null, payment.pg_provider ?? null, lines) : null,
    startedAtMs: instant(payment.started_at),
    paidAtMs: instant(payment.paid_at),
    failedAtMs: instant(payment.failed_at),
    raw: rawOf(value),
  };
}

/** What was given back of a payment, in the gateway's own words; nothing where the list cannot be read. */
export function readCancellations(value: unknown): Cancellation[] {
  const parsed = cancelledSchema.safeParse(value);
  if (!parsed.success) return [];
  const { currency, cancel_history: history } = parsed.data;
  return history.map((entry) => ({
    cancellationId: entry.cancellation_id,
    minor: fromMajor(entry.amount, currency)?.minor ?? null,
  }));
}

/** One page of payments: `previous` and `next` are page numbers, 0 where there is none. Null if it is no such page. */
export function readPage(value: unknown): PaymentPage | null {
  const parsed = pageSchema.safeParse(value);
  return parsed.success ? parsed.data : null;
}

/** What is stored under a `customer_uid`; null when it is not in PortOne's shape. */
export function readCustomer(value: unknown): Customer | null {
  const parsed = customerSchema.safeParse(value);
  return parsed.success ? parsed.data : null;
}

/** A token and PortOne's clock, in seconds since 1970; null when it is not in PortOne's shape. */
export function readToken(value: unknown): Token | null {
  const parsed = tokenSchema.safeParse(value);
  return parsed.success ? parsed.data : null;
}

function parseJson(body: Uint8Array): unknown {
  try {
    return readJson(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined; // broken text fits no schema
  }
}

function instant(seconds: number | null | undefined): number | null {
  return seconds == null || seconds <= 0 ? null : seconds * 1_000;
}

/** The fields kept for a later eye: an allow-list, so that nothing of the buyer gets through. */
function rawOf(value: unknown): PaymentRecord['raw'] {
  const fields = new Map(Object.entries(anyFields.parse(value)));
  const kept = RAW_FIELDS.filter((name) => fields.has(name)).map((name) => [name, plainValue(name, fields.get(name))]);
  const masked = maskedCardNumber(fields.get('card_number'));
  return Object.fromEntries(masked === null ? kept : [...kept, ['card_number', masked]]);
}

function plainValue(name: string, value: unknown): string | number | boolean | null {
  if (typeof value === 'string') return FREE_TEXT.has(name) ? plainText(value) : oneLine(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  return typeof value === 'boolean' ? value : null;
}

const RAW_FIELDS = [
  ...['imp_uid', 'merchant_uid', 'status', 'amount', 'cancel_amount', 'currency', 'customer_uid', 'customer_uid_usage'],
  ...['pay_method', 'channel', 'pg_provider', 'emb_pg_provider', 'pg_tid', 'pg_id', 'sandbox', 'apply_num'],
  ...['card_code', 'card_name', 'card_quota', 'card_type', 'name', 'fail_reason'],
  ...['started_at', 'paid_at', 'failed_at', 'cancelled_at'],
];

const FREE_TEXT = new Set(['name', 'card_name', 'fail_reason']);

const anyFields = z.looseObject({});
const envelopeSchema = z.object({ code: z.int(), message: z.string().nullish(), response: z.unknown() });

/** Tolerant where nothing hangs on it: a strange time must not turn a payment into an unreadable one. */
const seconds = z.number().int().max(253_402_300_799).nullish().catch(null); // the year 9999
const text = z.string().nullish().catch(null);

const paymentSchema = z.object({
  imp_uid: z.string().regex(/^[\w-]{1,64}$/),
  merchant_uid: z.string().min(1).max(64),
  status: z.string().transform((word) => STATUSES.find((status) => status === word) ?? 'other'),
  amount: z.number(),
  cancel_amount: z
    .number()
    .nullish()
    .transform((amount) => amount ?? 0),
  currency: z.string(),
  customer_uid: text,
  sandbox: z.boolean().nullish().catch(null),
  fail_reason: text,
  pg_provider: text,
  started_at: seconds,
  paid_at: seconds,
  failed_at: seconds,
});
const STATUSES = ['ready', 'paid', 'failed', 'cancelled'] as const;

const cancelledSchema = z.object({
  currency: z.string(),
  cancel_history: z.array(z.object({ cancellation_id: z.string().regex(/^[\w-]{1,64}$/), amount: z.number() })),
});

const pageSchema = z.object({
  total: z.int().min(0),
  previous: z.int().min(0),
  next: z.int().min(0),
  list: z.array(z.unknown()),
});
export type PaymentPage = z.infer<typeof pageSchema>;

const customerSchema = z.object({
  customer_uid: z.string(),
  sandbox: z.boolean().nullish().catch(null),
  pg_provider: text,
  card_name: text,
  card_number: text,
});
type Customer = z.infer<typeof customerSchema>;

const tokenSchema = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]{8,2048}$/), // it goes into a header
  now: z.int().positive().max(8.64e12),
  expired_at: z.int().positive().max(8.64e12),
});
type Token = z.infer<typeof tokenSchema>;
