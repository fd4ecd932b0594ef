import { judgeTerms } from '../billing/plan-change.ts';
import type { Terms } from '../billing/subscription-order.ts';
import type { Said } from '../store/control.ts';
import { changeSubscription, findForOrder } from '../store/subscription-orders.ts';
import { onFreshReading } from './fresh-reading.ts';
import type { OrderDeps, Ordered } from './order-subscription.ts';

/**
 * Changes what a subscription costs and is called, from its next period on. `termsFor` is given the currency that it is paid
 * in. Throws what `termsFor` throws, and FenceError where the subscription changes faster than it is read.
 */
export async function orderTerms(
  { db, fingerprint, versions }: OrderDeps,
  externalId: string,
  termsFor: (currency: string) => Terms,
  said: Said,
): Promise<Ordered> {
  return onFreshReading<Ordered>('the subscription', async () => {
    const found = await findForOrder(db, externalId);
    if (found === null) return { kind: 'missing' };
    const { currency, standing } = found;
    const judgement = judgeTerms(termsFor(currency), { ...standing, currency });
    if (judgement.kind === 'refused') return judgement;
    if (judgement.kind === 'unchanged') return { kind: 'done' };
    return (await changeSubscription(db, found, judgement.change, { ...said, fingerprint, versions }))
      ? { kind: 'done' }
      : null;
  });
}
