import { WRITTEN_OFF } from '../../../../src/billing/invoice.ts';
import type { Tables } from './tables.ts';

const ARREARS: ReadonlySet<string> = new Set(['retrying', 'review', 'held']);

/** `maedal_owes` in memory: whether a subscription owes something declined or given up, one invoice left out of account. */
export function owes({ invoices }: Tables, subscriptionId: string, but: string | null = null): boolean {
  const owed = invoices.where(
    ({ id, subscription_id, state, reason, failures }) =>
      subscription_id === subscriptionId &&
      id !== but &&
      ((state === 'uncollectible' && reason !== WRITTEN_OFF) || (ARREARS.has(state) && failures > 0)),
  );
  return owed.length > 0;
}
