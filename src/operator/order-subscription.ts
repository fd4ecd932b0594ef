import { judgeSubscription, type SubscriptionOrder } from '../billing/subscription-order.ts';
import type { Db } from '../store/db.ts';
import { changeSubscription, findForOrder, type OrderedBy, settleInvoices } from '../store/subscription-orders.ts';
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
 * Carries out what is ordered about a subscription, by the merchant's own id. Given twice, it is done once. In a database
 * that is not this installation's nothing is done. Throws FenceError where the subscription changes faster than it is read.
 */
export async function orderSubscription(
  deps: OrderDeps,
  externalId: string,
  order: SubscriptionOrder,
  said: { readonly actor: string; readonly reason: string },
): Promise<Ordered> {
  const { db, fingerprint, versions, channel } = deps;
  const by: OrderedBy = { ...said, fingerprint, versions };
  return onFreshReading<Ordered>('the subscription', async () => {
    const found = await findForOrder(db, externalId);
    if (found === null) return { kind: 'missing' };
    const judgement = judgeSubscription(order, found.standing);
    if (judgement.kind === 'refused') return judgement;
    const { invoices } = judgement.kind === 'change' ? judgement.change : judgement;
    if (judgement.kind === 'change' && !(await changeSubscription(db, found, judgement.change, by))) return null;
    if (invoices !== undefined) await settleInvoices(db, found, invoices, { fingerprint, ...channel(found.channel) });
    return { kind: 'done' };
  });
}
