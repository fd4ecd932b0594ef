import { WRITTEN_OFF } from '../../../../src/billing/invoice.ts';
import type { AttemptRow, InvoiceRow } from './rows.ts';
import type { Tables } from './tables.ts';

const ARREARS: ReadonlySet<string> = new Set(['retrying', 'review', 'held']);

/** `maedal_owing` in memory: what a subscription owes, one invoice left out of account. */
function owing(
  { invoices }: Tables,
  subscriptionId: string,
  but: string | null = null,
): 'given_up' | 'collected' | 'nothing' {
  const others = invoices.where(({ id, subscription_id }) => subscription_id === subscriptionId && id !== but);
  if (others.some(({ state, reason }) => state === 'uncollectible' && reason !== WRITTEN_OFF)) return 'given_up';
  return others.some(({ state, failures }) => ARREARS.has(state) && failures > 0) ? 'collected' : 'nothing';
}

/** How a subscription that owes something stands once an invoice is settled; null where that changes nothing. */
export function cleared(
  tables: Tables,
  { id, status }: { readonly id: string; readonly status: string },
  but: string | null = null,
): 'active' | 'past_due' | 'unpaid' | null {
  if (status !== 'past_due' && status !== 'unpaid') return null;
  const next = statusOwing(tables, id, but);
  return next === status ? null : next;
}

/** `maedal_status_owing` in memory; the policy holds what comes later. */
function statusOwing(tables: Tables, id: string, but: string | null): 'active' | 'past_due' | 'unpaid' {
  const owed = owing(tables, id, but);
  if (owed !== 'given_up') return owed === 'nothing' ? 'active' : 'past_due';
  const isCollecting = ({ subscription_id, id: own, state }: InvoiceRow) =>
    subscription_id === id && own !== but && (state === 'open' || state === 'retrying');
  return tables.invoices.where(isCollecting).length > 0 ? 'past_due' : 'unpaid';
}

/** `TRY_GOES_FIRST` of `store/due.ts` in memory, where nobody has tried again what was given up. */
export function tryGoesFirst({ invoices, attempts, nowMs }: Tables, subscriptionId: string): boolean {
  const isRecent = (at: number | null) => at !== null && at <= nowMs && at >= nowMs - 600_000;
  const isTried = ({ state, rung_at, lease_until }: AttemptRow) =>
    state === 'sent' || (lease_until ?? 0) > nowMs || (state === 'prepared' && isRecent(rung_at));
  const isFirst = ({ id, subscription_id, state, next_at }: InvoiceRow) =>
    subscription_id === subscriptionId &&
    state === 'retrying' &&
    (isRecent(next_at) || attempts.where((row) => row.invoice_id === id && isTried(row)).length > 0);
  return invoices.where(isFirst).length > 0;
}
