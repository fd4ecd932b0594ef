import { FenceError, InputError } from '../billing/errors.ts';
import { payableByCard } from '../store/given-cards.ts';
import type { SaidOnce, SubscriptionFound } from '../store/subscription-orders.ts';
import { type InterventionDeps, orderIntervention } from './intervene.ts';

/**
 * Has what is unpaid charged on a card that was given, and was not tried on it since: each invoice once, at once, where no
 * earlier charge may still land; the scheduler sees to the others as soon as they may go.
 */
export async function chargePayable(deps: InterventionDeps, found: SubscriptionFound, said: SaidOnce): Promise<void> {
  for (const { id, state } of await payableByCard(deps.db, found))
    await tryAtOnce(() => orderIntervention(deps, id, state === 'held' ? 'release' : 'retry', said));
}

/** What may not be charged at once is left to the scheduler. */
async function tryAtOnce(order: () => Promise<unknown>): Promise<void> {
  try {
    await order();
  } catch (error) {
    if (!(error instanceof InputError || error instanceof FenceError)) throw error;
  }
}
