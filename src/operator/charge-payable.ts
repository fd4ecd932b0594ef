import { FenceError, InputError } from '../billing/errors.ts';
import { payableByCard } from '../store/card-change.ts';
import type { SaidOnce, SubscriptionFound } from '../store/subscription-orders.ts';
import { type InterventionDeps, orderIntervention } from './intervene.ts';

/**
 * Has what is unpaid charged on a card that was given: each invoice once, at once, where no earlier charge may still land.
 * Of a card that was given earlier (`givenAt`), what was not tried since.
 */
export async function chargePayable(
  deps: InterventionDeps,
  found: SubscriptionFound,
  givenAt: Date | null,
  said: SaidOnce,
): Promise<void> {
  for (const { id, state } of await payableByCard(deps.db, found, givenAt))
    await tryAtOnce(() => orderIntervention(deps, id, state === 'held' ? 'release' : 'retry', said));
}

/** What may not be charged at once is charged when its ladder says so. */
async function tryAtOnce(order: () => Promise<unknown>): Promise<void> {
  try {
    await order();
  } catch (error) {
    if (!(error instanceof InputError || error instanceof FenceError)) throw error;
  }
}
