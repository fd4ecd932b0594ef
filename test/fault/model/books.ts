import type { ChargeRequest, PaymentRecord } from '../../../src/billing/charge.ts';

/** A payment in the gateway's own books. */
export type Payment = {
  readonly impUid: string;
  readonly request: ChargeRequest;
  /** Subscription and period, read from what the request carried; the charge's own id plays no part. */
  readonly owner: string;
  status: 'ready' | 'paid' | 'failed' | 'cancelled';
  readonly startedAtMs: number;
  paidAtMs: number | null;
  failedAtMs: number | null;
  /** From when on look-ups tell of which status. */
  readonly shown: { readonly fromMs: number; readonly status: Payment['status'] }[];
};

/** Whose money a request is about: `subscription period`, as it says itself. */
export function ownerOf(request: ChargeRequest): string {
  const data: unknown = JSON.parse(request.customData);
  if (typeof data !== 'object' || data === null || !('subscription' in data) || !('period' in data))
    throw new Error(`custom_data says nothing: ${request.customData}`);
  return `${data.subscription} ${data.period}`;
}

/** What a look-up at `nowMs` tells of a payment; null while it shows nothing. `truthful`: nothing lags. */
export function shownRecord(payment: Payment, nowMs: number, truthful: boolean): PaymentRecord | null {
  const status = truthful ? payment.status : payment.shown.findLast(({ fromMs }) => fromMs <= nowMs)?.status;
  return status === undefined ? null : recordOf(payment, status);
}

/** A payment as the gateway tells of it in this status. */
export function recordOf(payment: Payment, status: Payment['status'] = payment.status): PaymentRecord {
  const { request, impUid, startedAtMs } = payment;
  return {
    impUid,
    merchantUid: request.merchantUid,
    status,
    amount: request.amount,
    cancelMinor: status === 'cancelled' ? request.amount.minor : 0,
    customerUid: request.customerUid,
    sandbox: true,
    decline: status === 'failed' ? { class: 'funds', reason: '한도초과' } : null,
    startedAtMs,
    paidAtMs: status === 'paid' || status === 'cancelled' ? payment.paidAtMs : null,
    failedAtMs: status === 'failed' ? payment.failedAtMs : null,
    raw: {},
  };
}
