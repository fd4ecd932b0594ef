import { AWAITING_CARD } from '../../../../src/billing/invoice.ts';
import type { Unsettled } from '../../../../src/store/subscription-orders.ts';
import { policyOf, unansweredAt } from './leasing.ts';
import { tryGoesFirst } from './owing.ts';
import type { InvoiceRow } from './rows.ts';
import type { Tables } from './tables.ts';

const LIVE: ReadonlySet<string> = new Set(['trialing', 'active', 'past_due']);
const STOPPED: ReadonlySet<string> = new Set(['paused', 'unpaid']);
const SETTLED = {
  void: { to: 'void', reason: 'subscription_canceled', event: 'invoice.voided' },
  hold: { to: 'held', reason: 'subscription_stopped', event: 'invoice.held' },
} as const;

/** `unsettledInvoices` of `store/subscription-orders.ts` in memory. */
export function unsettledInvoices(tables: Tables, limit: number): Unsettled[] {
  const found = new Map<string, Unsettled>();
  for (const invoice of tables.invoices.where((row) => isOpen(row) || row.state === 'held')) {
    const { id, channel, status } = tables.subscriptions.at(invoice.subscription_id);
    const as = wantedOf(invoice, status);
    if (as === 'release' && tryGoesFirst(tables, id)) continue;
    if (as !== null && !isBusy(tables, invoice)) found.set(`${id} ${as}`, { id, channel, as });
  }
  return [...found.values()].slice(0, limit);
}

function wantedOf(invoice: InvoiceRow, status: string): Unsettled['as'] | null {
  if (isStopped(invoice) && LIVE.has(status)) return 'release';
  if (status === 'canceled') return 'void';
  return isOpen(invoice) && STOPPED.has(status) ? 'hold' : null;
}

/** `settleInvoices` in memory. */
export function settleInvoices(
  tables: Tables,
  { id }: { readonly id: string },
  as: Unsettled['as'],
  { quarantineSeconds }: { readonly quarantineSeconds: number },
): number {
  const { status } = tables.subscriptions.at(id);
  const own = tables.invoices.where((row) => row.subscription_id === id && !isBusy(tables, row));
  const meant = own.filter((row) => wantedOf(row, status) === as || (as === 'void' && row.state === 'held'));
  for (const invoice of meant) {
    if (as === 'release') release(tables, invoice, quarantineSeconds);
    else stop(tables, invoice, SETTLED[as], quarantineSeconds);
  }
  return meant.length;
}

function isOpen({ state }: InvoiceRow): boolean {
  return state === 'open' || state === 'retrying';
}

function isStopped({ state, reason }: InvoiceRow): boolean {
  return state === 'held' && reason === 'subscription_stopped';
}

function isBusy({ attempts, nowMs }: Tables, { id }: InvoiceRow): boolean {
  const own = attempts.where(({ invoice_id }) => invoice_id === id);
  return own.some(
    ({ state, lease_until }) =>
      ['sent', 'unknown', 'paid', 'review'].includes(state) || (lease_until !== null && lease_until > nowMs),
  );
}

function stop(
  tables: Tables,
  invoice: InvoiceRow,
  { to, reason, event }: (typeof SETTLED)[keyof typeof SETTLED],
  quarantineSeconds: number,
): void {
  const own = tables.attempts.where(({ invoice_id }) => invoice_id === invoice.id);
  for (const attempt of own.filter(({ state }) => state === 'prepared')) {
    tables.attempts.put(attempt.id, { ...attempt, state: 'canceled', fail_reason: reason });
  }
  const wasSent = own.some(({ send_count }) => send_count > 0);
  const watch_at = wasSent ? tables.nowMs + quarantineSeconds * 1_000 : invoice.watch_at;
  tables.invoices.put(invoice.id, { ...invoice, state: to, reason, next_at: null, watch_at });
  tell(tables, invoice, event, reason);
}

function release(tables: Tables, invoice: InvoiceRow, quarantineSeconds: number): void {
  const { nowMs } = tables;
  const isDeclined = invoice.failures > 0;
  const gapUntil = (invoice.last_attempt_at ?? 0) + policyOf(tables, invoice).minGapHours * 3_600_000;
  const open = tables.attempts.where(({ invoice_id }) => invoice_id === invoice.id).map(unansweredAt);
  const barred = Math.max(0, ...open.map((at) => (at === null ? 0 : at + quarantineSeconds * 1_000)));
  tables.invoices.put(invoice.id, {
    ...invoice,
    state: isDeclined ? 'retrying' : 'open',
    reason: isDeclined ? AWAITING_CARD : null,
    next_at: isDeclined ? nowMs : Math.max(nowMs, invoice.last_attempt_at === null ? 0 : gapUntil, barred),
  });
  tell(tables, invoice, 'invoice.released', 'subscription_resumed');
}

function tell(tables: Tables, invoice: InvoiceRow, kind: string, reason: string): void {
  tables.outbox.push({
    kind,
    subscription_id: invoice.subscription_id,
    invoice_id: invoice.id,
    payload: { invoice_id: invoice.id, reason },
    next_at: tables.nowMs,
  });
}
