import { changeCard, type GivenCard, ownerOfCard } from '../store/card-change.ts';
import type { Db } from '../store/db.ts';
import { doneUnder } from '../store/idempotency.ts';
import { findForOrder, type SaidOnce, type SubscriptionFound } from '../store/subscription-orders.ts';
import { chargePayable } from './charge-payable.ts';
import { onFreshReading } from './fresh-reading.ts';
import type { OrderDeps, Ordered } from './order-subscription.ts';

/**
 * Gives a subscription another card, and has what is unpaid charged on it: each invoice once, at once, where no earlier
 * charge may still land; the others as soon as they may go. Once under a key: whoever comes second only makes up for
 * charges that were not ordered yet. Throws FenceError where the subscription changes faster
 * than it is read.
 */
export async function orderCardChange(
  deps: OrderDeps,
  externalId: string,
  card: GivenCard,
  said: SaidOnce,
): Promise<Ordered> {
  const { db, fingerprint } = deps;
  return onFreshReading<Ordered>('the subscription', async () => {
    const found = await findForOrder(db, externalId);
    if (found === null) return { kind: 'missing' };
    const doneAt = await doneUnder(db, said.under);
    if (doneAt === null) {
      const because = await refusal(db, found, card);
      if (because !== null) return { kind: 'refused', because };
      if (!(await changeCard(db, found, card, { ...said, fingerprint }))) return null;
    }
    await chargePayable(deps, found, said);
    return { kind: 'done' };
  });
}

/** Why a subscription cannot have a card; null where it can. */
async function refusal(db: Db, found: SubscriptionFound, { customerUid }: GivenCard): Promise<string | null> {
  if (found.standing.status === 'canceled') return 'it is canceled, and that is final';
  const isForeign = (await ownerOfCard(db, found, customerUid)) === 'foreign';
  return isForeign ? `${customerUid} is the card of another customer` : null;
}
