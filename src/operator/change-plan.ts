import { judgeTerms } from '../billing/plan-change.ts';
import type { Terms } from '../billing/subscription-order.ts';
import { doneUnder } from '../store/idempotency.ts';
import { changeSubscription, findForOrder, type SaidOnce } from '../store/subscription-orders.ts';
import { onFreshReading } from './fresh-reading.ts';
import type { OrderDeps, Ordered } from './order-subscription.ts';

/**
 * Changes what a subscription costs and is called, from its next period on. `termsFor` is given the currency that it is paid
 * in. Once under a key. Throws what `termsFor` throws, and FenceError where the subscription changes faster than it is read.
 */
export async function orderTerms(
  { db, fingerprint, versions }: OrderDeps,
  externalId: string,
  termsFor: (currency: string) => Terms,
  said: SaidOnce,
): Promise<Ordered> {
  return onFreshReading<Ordered>('the subscription', async () => {
    const found = await findForOrder(db, externalId);
    if (found === null) return { kind: 'missing' };
    if ((await doneUnder(db, said.under)) !== null) return { kind: 'done' };
    const { currency, standing } = found;
    const judgement = judgeTerms(termsFor(currency), { ...standing, currency });
    if (judgement.kind === 'refused') return judgement;
    if (judgement.kind === 'unchanged') return { kind: 'done' };
    return (await changeSubscription(db, found, judgement.change, { ...said, fingerprint, versions }))
      ? { kind: 'done' }
      : null;
  });
}
