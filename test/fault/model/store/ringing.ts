import type { DateTime } from 'luxon';
import { parseAttemptId } from '../../../../src/billing/ids.ts';
import { AWAITING_CARD } from '../../../../src/billing/invoice.ts';
import { NEVER_REPORTED, type RetryDue, type Ring } from '../../../../src/store/due.ts';
import { merchantUidOf } from './merchant-uid.ts';
import { ALIVE, clash } from './protections.ts';
import type { AttemptRow, InvoiceRow } from './rows.ts';
import type { Tables } from './tables.ts';

const RINGABLE: ReadonlySet<string> = new Set(['prepared', 'sent', 'unknown']);

/** `retriesDue` of `store/due.ts` in memory. */
export function retriesDue(tables: Tables, limit: number, until: DateTime | null): RetryDue[] {
  return dueInvoices(tables, until)
    .filter(({ reason }) => reason !== AWAITING_CARD)
    .filter((invoice) => attemptsOf(tables, invoice).every((attempt) => !ALIVE.has(attempt.state)))
    .slice(0, limit)
    .map((invoice) => ({
      invoiceId: invoice.id,
      subscription: tables.subscriptions.at(invoice.subscription_id).external_id,
      periodKey: invoice.period_key,
      attemptNumber: 1 + attemptsOf(tables, invoice).reduce((last, { number }) => Math.max(last, number), 0),
    }));
}

/** `prepareRetries` in memory: what clashes with a unique index is passed over. */
export function prepareRetries(
  tables: Tables,
  retries: readonly (RetryDue & { readonly merchantUid: string })[],
): number {
  let prepared = 0;
  for (const { invoiceId, attemptNumber, merchantUid } of retries) {
    const invoice = tables.invoices.get(invoiceId);
    if (invoice?.state !== 'open' && invoice?.state !== 'retrying') continue;
    const fresh = newAttempt(tables, invoice, attemptNumber, merchantUid);
    const attempt = { ...fresh, billing_key_id: invoice.retry_key_id };
    if (tables.attempts.where((other) => clash(attempt, other) !== null).length > 0) continue;
    tables.attempts.put(attempt.id, attempt);
    prepared += 1;
  }
  return prepared;
}

/** A first or further attempt as it is inserted. */
export function newAttempt(tables: Tables, invoice: InvoiceRow, number: number, merchantUid: string): AttemptRow {
  return {
    id: parseAttemptId(tables.nextId()),
    invoice_id: invoice.id,
    number,
    merchant_uid: merchantUidOf(merchantUid),
    state: 'prepared',
    billing_key_id: null,
    customer_uid: null,
    amount: null,
    currency: null,
    tax_free: null,
    vat: null,
    name: null,
    generation: 0,
    rung_at: null,
    fence: 0,
    lease_until: null,
    lease_count: 0,
    send_count: 0,
    not_sent_count: 0,
    not_found_count: 0,
    first_sent_at: null,
    sent_at: null,
    unsettled_since: null,
    answered_at: null,
    unanswered_at: null,
    imp_uid: null,
    decline_class: null,
    fail_reason: null,
  };
}

/** `ring` in memory: marks what is due as rung. */
export function ring(tables: Tables, limit: number, reRingSeconds: number, until: DateTime | null): Ring[] {
  const rungOf = (invoice: InvoiceRow) => attemptsOf(tables, invoice).filter(({ state }) => RINGABLE.has(state));
  const due = dueInvoices(tables, until).filter((invoice) => rungOf(invoice).length > 0);
  return due.slice(0, limit).flatMap((invoice) => {
    tables.invoices.put(invoice.id, { ...invoice, next_at: tables.nowMs + reRingSeconds * 1_000 });
    return rungOf(invoice).map((attempt) => {
      const generation = attempt.generation + 1;
      tables.attempts.put(attempt.id, { ...attempt, generation, rung_at: tables.nowMs });
      return { attemptId: attempt.id, generation };
    });
  });
}

/** `expireSends` in memory: what was sent and never recorded becomes `unknown`. */
export function expireSends(tables: Tables, limit: number): number {
  const over = tables.attempts.where(
    ({ state, lease_until, invoice_id }) =>
      state === 'sent' &&
      lease_until !== null &&
      lease_until <= tables.nowMs &&
      isCollected(tables.invoices.at(invoice_id)),
  );
  for (const attempt of over.slice(0, limit)) {
    tables.invoices.put(attempt.invoice_id, {
      ...tables.invoices.at(attempt.invoice_id),
      next_at: attempt.lease_until,
    });
    tables.attempts.put(attempt.id, {
      ...attempt,
      state: 'unknown',
      fence: attempt.fence + 1,
      lease_until: null,
      fail_reason: NEVER_REPORTED,
    });
    tables.outbox.push({
      kind: 'charge.unknown',
      subscription_id: tables.invoices.at(attempt.invoice_id).subscription_id,
      invoice_id: attempt.invoice_id,
      payload: { merchant_uid: attempt.merchant_uid, reason: NEVER_REPORTED },
      next_at: tables.nowMs,
    });
  }
  return Math.min(limit, over.length);
}

function dueInvoices(tables: Tables, until: DateTime | null): InvoiceRow[] {
  const untilMs = Math.min(until?.toMillis() ?? tables.nowMs, tables.nowMs);
  return tables.invoices
    .where((invoice) => isCollected(invoice) && invoice.next_at !== null && invoice.next_at <= untilMs)
    .sort((one, other) => (one.next_at ?? 0) - (other.next_at ?? 0) || (one.id < other.id ? -1 : 1));
}

function isCollected({ state }: InvoiceRow): boolean {
  return state === 'open' || state === 'retrying';
}

function attemptsOf(tables: Tables, invoice: InvoiceRow): AttemptRow[] {
  return tables.attempts.where((attempt) => attempt.invoice_id === invoice.id);
}
