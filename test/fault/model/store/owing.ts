import { WRITTEN_OFF } from '../../../../src/billing/invoice.ts';
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

/** How a subscription stands once an invoice is settled; null where that changes nothing. */
export function cleared(
  tables: Tables,
  { id, status }: { readonly id: string; readonly status: string },
  but: string | null = null,
): 'active' | 'past_due' | null {
  const owed = owing(tables, id, but);
  if (status === 'past_due') return owed === 'nothing' ? 'active' : null;
  if (status !== 'unpaid' || owed === 'given_up') return null;
  return owed === 'nothing' ? 'active' : 'past_due';
}
