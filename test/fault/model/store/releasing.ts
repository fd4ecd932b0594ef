import { AWAITING_CARD } from '../../../../src/billing/invoice.ts';
import { policyOf, unansweredAt } from './leasing.ts';
import type { InvoiceRow } from './rows.ts';
import type { Tables } from './tables.ts';

const LIVE: ReadonlySet<string> = new Set(['trialing', 'active', 'past_due']);

/** `stoppedInvoices` of `store/subscription-orders.ts` in memory. */
export function stoppedInvoices(tables: Tables, limit: number): { readonly id: string; readonly channel: string }[] {
  const ids = new Set(stopped(tables).map(({ subscription_id }) => subscription_id));
  const found = [...ids].map((id) => tables.subscriptions.at(id)).filter(({ status }) => LIVE.has(status));
  return found.slice(0, limit).map(({ id, channel }) => ({ id, channel }));
}

/** `settleInvoices` in memory, as far as a scheduler asks for it. */
export function settleInvoices(
  tables: Tables,
  { id }: { readonly id: string },
  as: string,
  { quarantineSeconds }: { readonly quarantineSeconds: number },
): number {
  if (as !== 'release') throw new Error(`a scheduler does not ${as} invoices`);
  if (!LIVE.has(tables.subscriptions.at(id).status)) return 0;
  const own = stopped(tables).filter((invoice) => invoice.subscription_id === id && !isBusy(tables, invoice));
  for (const invoice of own) release(tables, invoice, quarantineSeconds);
  return own.length;
}

function stopped({ invoices }: Tables): InvoiceRow[] {
  return invoices.where(({ state, reason }) => state === 'held' && reason === 'subscription_stopped');
}

function isBusy({ attempts, nowMs }: Tables, { id }: InvoiceRow): boolean {
  const own = attempts.where(({ invoice_id }) => invoice_id === id);
  return own.some(
    ({ state, lease_until }) =>
      ['sent', 'unknown', 'paid', 'review'].includes(state) || (lease_until !== null && lease_until > nowMs),
  );
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
  tables.outbox.push({
    kind: 'invoice.released',
    subscription_id: invoice.subscription_id,
    invoice_id: invoice.id,
    payload: { invoice_id: invoice.id, reason: 'subscription_resumed' },
    next_at: nowMs,
  });
}
