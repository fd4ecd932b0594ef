import { judgeSubscription, type SubscriptionOrder } from '../billing/subscription-order.ts';
import type { Db } from '../store/db.ts';
import { doneUnder } from '../store/idempotency.ts';
import {
  changeSubscription,
  findForOrder,
  type OrderedBy,
  type SaidOnce,
  settleInvoices,
} from '../store/subscription-orders.ts';
import { chargePayable } from './charge-payable.ts';
import { onFreshReading } from './fresh-reading.ts';

export type OrderDeps = {
  readonly db: Db;
  readonly fingerprint: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly channel: (name: string) => { readonly quarantineSeconds: number; readonly declinesAreFinal: boolean };
};

/** What came of an order: done, or already so; there is no such subscription; or why it cannot be done as things stand. */
export type Ordered =
  | { readonly kind: 'done' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused'; readonly because: string };

/**
 * Carries out what is ordered about a subscription, by the merchant's own id. Given twice, it is done once; what was done
 * under its key is not done again, whatever became of the subscription since, only what was left of it. In a database
 * that is not this installation's nothing is done. Throws FenceError where the subscription changes faster than it is read.
 */
export async function orderSubscription(
  deps: OrderDeps,
  externalId: string,
  order: SubscriptionOrder,
  said: SaidOnce,
): Promise<Ordered> {
  const { db, fingerprint, versions, channel } = deps;
  const by: OrderedBy = { ...said, fingerprint, versions };
  return onFreshReading<Ordered>('the subscription', async () => {
    const found = await findForOrder(db, externalId);
    if (found === null) return { kind: 'missing' };
    const doneAt = await doneUnder(db, said.under);
    const judgement = judgeSubscription(order, found.standing);
    if (doneAt !== null && judgement.kind !== 'unchanged') return { kind: 'done' };
    if (judgement.kind === 'refused') return judgement;
    const { invoices } = judgement.kind === 'change' ? judgement.change : judgement;
    if (judgement.kind === 'change' && !(await changeSubscription(db, found, judgement.change, by))) return null;
    if (invoices !== undefined) await settleInvoices(db, found, invoices, { fingerprint, ...channel(found.channel) });
    // A card that was given during the pause is tried now.
    if (order.kind === 'resume') await chargePayable(deps, found, said);
    return { kind: 'done' };
  });
}
