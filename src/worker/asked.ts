import { isHorizonOver } from '../billing/absence.ts';
import type { ChargeRequest } from '../billing/charge.ts';
import type { Asked } from '../billing/outcome.ts';
import type { LeasedAttempt } from '../store/lease.ts';
import type { WorkerDeps } from './deps.ts';

/** What an answer is held against: the attempt as it was sent, `sends` times without proof of the contrary. */
export function asked(
  deps: WorkerDeps,
  attempt: LeasedAttempt,
  sends: number,
  seenBefore: readonly string[] = [],
): Asked {
  const { sentAt, now } = attempt;
  const reach = deps.channel(attempt.subscription.channel);
  return {
    customerUid: attempt.billingKey.customerUid,
    amount: attempt.amount,
    sandbox: deps.sandbox,
    sends,
    horizon: sentAt !== null && isHorizonOver(sentAt, now, reach) ? 'over' : 'open',
    seenBefore: new Set([...attempt.seenBefore, ...seenBefore]),
  };
}

/** What is asked of the gateway. `custom_data` lets anyone match the gateway's records to ours. */
export function requestFor(attempt: LeasedAttempt): ChargeRequest {
  return {
    merchantUid: attempt.merchantUid,
    customerUid: attempt.billingKey.customerUid,
    amount: attempt.amount,
    taxFreeMinor: attempt.taxFreeMinor,
    vatMinor: attempt.vatMinor,
    name: attempt.name,
    buyerName: attempt.buyer.name,
    buyerEmail: attempt.buyer.email,
    buyerTel: attempt.buyer.tel,
    customData: JSON.stringify({
      subscription: attempt.subscription.externalId,
      period: attempt.periodKey,
      invoice: attempt.invoiceId,
      attempt: attempt.number,
      ...(attempt.customData === null ? {} : { merchant: attempt.customData }),
    }),
  };
}
