import { FenceError, InputError } from '../billing/errors.ts';
import { changeCard, ownerOfCard, payableByCard } from '../store/card-change.ts';
import type { Said } from '../store/control.ts';
import { findForOrder } from '../store/subscription-orders.ts';
import { onFreshReading } from './fresh-reading.ts';
import { orderIntervention } from './intervene.ts';
import type { OrderDeps, Ordered } from './order-subscription.ts';

/**
 * Gives a subscription another card, and has what is unpaid charged on it: each invoice once, at once, where no earlier
 * charge may still land; the others keep their next instant. Throws FenceError where the subscription changes faster
 * than it is read.
 */
export async function orderCardChange(
  deps: OrderDeps,
  externalId: string,
  customerUid: string,
  said: Said,
): Promise<Ordered> {
  const { db, fingerprint } = deps;
  return onFreshReading<Ordered>('the subscription', async () => {
    const found = await findForOrder(db, externalId);
    if (found === null) return { kind: 'missing' };
    if (found.standing.status === 'canceled') return { kind: 'refused', because: 'it is canceled, and that is final' };
    if ((await ownerOfCard(db, found, customerUid)) === 'foreign')
      return { kind: 'refused', because: `${customerUid} is the card of another customer` };
    if (!(await changeCard(db, found, customerUid, { ...said, fingerprint }))) return null;
    for (const { id, state } of await payableByCard(db, found))
      await tryAtOnce(() => orderIntervention(deps, id, state === 'held' ? 'release' : 'retry', said));
    return { kind: 'done' };
  });
}

/** What may not be charged at once is charged when its ladder says so. */
async function tryAtOnce(order: () => Promise<unknown>): Promise<void> {
  try {
    await order();
  } catch (error) {
    if (!(error instanceof InputError || error instanceof FenceError)) throw error;
  }
}
