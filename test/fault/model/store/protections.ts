import { ATTEMPT_CHART } from '../../../../src/billing/attempt.ts';
import { INVOICE_CHART } from '../../../../src/billing/invoice.ts';
import { REFUND_CHART } from '../../../../src/billing/refund.ts';
import { SUBSCRIPTION_CHART } from '../../../../src/billing/subscription-status.ts';
import type { AttemptRow, InvoiceRow, ObservationRow, RefundRow, SubscriptionRow } from './rows.ts';

/** The database refused a statement: a constraint, a unique index or a trigger stood against it. */
export class Refused extends Error {}

/** States in which no other attempt of the invoice can start (`attempt_one_alive`, K2). */
export const ALIVE: ReadonlySet<string> = new Set(['prepared', 'sent', 'unknown', 'paid', 'review']);

/** Constraint and guard of `subscription`. */
export function checkSubscription(next: SubscriptionRow, was: SubscriptionRow | undefined): void {
  if (was !== undefined) guard(SUBSCRIPTION_CHART, was.status, next.status);
  demand((next.status === 'canceled') === (next.canceled_at !== null), 'subscription_canceled');
}

/** Constraints and the guard of `invoice`; `others` are the rows of the table. */
export function checkInvoice(next: InvoiceRow, was: InvoiceRow | undefined, others: Iterable<InvoiceRow>): void {
  if (was !== undefined) guard(INVOICE_CHART, was.state, next.state);
  demand(next.period_start < next.period_end, 'invoice_period_forward');
  demand((next.state === 'open' || next.state === 'retrying') === (next.next_at !== null), 'invoice_next');
  demand(['open', 'retrying', 'paid'].includes(next.state) || next.reason !== null, 'invoice_reason');
  demand((next.state === 'paid' || next.state === 'refunded') === (next.paid_at !== null), 'invoice_paid');
  if (was !== undefined) return; // neither subscription nor period ever changes
  for (const other of others) demand(!isSamePeriod(next, other), 'invoice_once_per_period');
}

export function isSamePeriod(one: InvoiceRow, other: InvoiceRow): boolean {
  return one.subscription_id === other.subscription_id && one.period_key === other.period_key;
}

/** Constraints, unique indexes and the guard of `attempt`. */
export function checkAttempt(next: AttemptRow, was: AttemptRow | undefined, others: Iterable<AttemptRow>): void {
  const isAnswered = next.state === 'paid' || next.state === 'declined' || next.state === 'rejected';
  const wasSent = next.send_count > 0;
  demand(isAnswered === (next.answered_at !== null), 'attempt_answered');
  demand(next.state !== 'paid' || next.imp_uid !== null, 'attempt_paid');
  demand(wasSent === (next.first_sent_at !== null) && wasSent === (next.sent_at !== null), 'attempt_sent');
  const { amount, currency, tax_free, name, customer_uid, billing_key_id } = next;
  const frozen = [amount, currency, tax_free, name, customer_uid, billing_key_id];
  demand(!wasSent || frozen.every((column) => column !== null), 'attempt_frozen');
  demand((next.state !== 'sent' && next.state !== 'unknown') || wasSent, 'attempt_in_flight');
  demand(next.not_sent_count <= next.send_count, 'not_sent_count');
  if (was !== undefined) guardAttempt(next, was);
  for (const other of others) if (other.id !== next.id) demand(clash(next, other) === null, clash(next, other));
}

/** Which unique index two attempts clash in, if any. */
export function clash(one: AttemptRow, other: AttemptRow): string | null {
  if (one.merchant_uid === other.merchant_uid) return 'attempt_merchant_uid_key';
  if (one.invoice_id !== other.invoice_id) return null;
  if (one.number === other.number) return 'attempt_numbered';
  return ALIVE.has(one.state) && ALIVE.has(other.state) ? 'attempt_one_alive' : null;
}

function guardAttempt(next: AttemptRow, was: AttemptRow): void {
  guard(ATTEMPT_CHART, was.state, next.state);
  const asked = ['merchant_uid', 'customer_uid', 'amount', 'currency', 'tax_free', 'vat', 'name'] as const;
  if (was.send_count > 0) for (const column of asked) demand(was[column] === next[column], `${column} was sent`);
  demand(next.send_count >= was.send_count && next.fence >= was.fence, 'send_count and fence only rise');
}

export function checkObservation(next: ObservationRow): void {
  demand(next.imp_uid.length >= 1 && next.imp_uid.length <= 64, 'imp_uid');
}

export function checkRefund(next: RefundRow, was: RefundRow | undefined, others: Iterable<RefundRow>): void {
  if (was !== undefined) guard(REFUND_CHART, was.state, next.state);
  demand(next.amount > 0 && next.checksum >= next.amount, 'refund amount');
  if (was === undefined) for (const other of others) demand(!isSameOpenRefund(next, other), 'refund_one_open');
}

export function isSameOpenRefund(one: RefundRow, other: RefundRow): boolean {
  return one.imp_uid === other.imp_uid && OPEN_REFUND.has(one.state) && OPEN_REFUND.has(other.state);
}

const OPEN_REFUND: ReadonlySet<string> = new Set(['prepared', 'sent', 'unknown']);

/** The trigger that keeps a chart. */
function guard<State extends string>(chart: Record<State, readonly State[]>, from: State, to: State): void {
  demand(from === to || chart[from].includes(to), `cannot go from ${from} to ${to}`);
}

function demand(holds: boolean, rule: string | null): void {
  if (!holds) throw new Refused(String(rule));
}
