import type { Agenda } from './agenda.ts';
import { chanceFor } from './chance.ts';
import type { Plan } from './plan.ts';
import { ALIVE } from './store/protections.ts';
import { prepareRetries } from './store/ringing.ts';
import type { Tables } from './store/tables.ts';

/** An attempt's `merchant_uid`, as each version of this installation names it. */
type Name = (subscription: string, periodKey: string, number: number) => string;

/**
 * A scheduler of another version beside ours, for some moments (protocol P7): it makes the next attempt of an invoice
 * without asking whether one of it lives. The database refuses that (K2), or two of them would be sent under two ids.
 */
export function startOlder(agenda: Agenda, plan: Plan, tables: Tables, nameOf: Name): void {
  if (!plan.faults.has('operator')) return;
  const chance = chanceFor(plan.luck, 'another version');
  for (let times = chance.below(4); times > 0; times -= 1) {
    const atMs = tables.nowMs + chance.below(chance.hits(0.5) ? 120_000 : plan.chaosMs);
    agenda.at(atMs, 'another version makes attempts', () => makeAttempts(tables, nameOf));
  }
}

function makeAttempts(tables: Tables, nameOf: Name): void {
  const living = [...tables.attempts.where(({ state }) => ALIVE.has(state))];
  for (const { invoice_id: invoiceId } of living) {
    const { subscription_id, period_key: periodKey } = tables.invoices.at(invoiceId);
    const subscription = tables.subscriptions.at(subscription_id).external_id;
    const numbers = tables.attempts.where((one) => one.invoice_id === invoiceId).map(({ number }) => number);
    const attemptNumber = Math.max(...numbers) + 1;
    const merchantUid = nameOf(subscription, periodKey, attemptNumber);
    tables.statement(() =>
      prepareRetries(tables, [{ invoiceId, subscription, periodKey, attemptNumber, merchantUid }]),
    );
  }
}
