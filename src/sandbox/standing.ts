import type { Payment } from './entry.ts';

/** The statuses of V1. */
export const PAYMENT_STATUSES = ['ready', 'paid', 'failed', 'cancelled'] as const;

/** One of `PAYMENT_STATUSES`. */
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

/** What has been cancelled of a payment so far, in minor units. */
export function cancelledMinor(payment: Payment): number {
  return payment.cancels.reduce((sum, cancel) => sum + cancel.minor, 0);
}

/** The status that V1 shows: one cancel, even a partial one, makes a payment `cancelled`. */
export function statusOf(payment: Payment): PaymentStatus {
  return payment.cancels.length > 0 ? 'cancelled' : payment.status;
}

/** The instant, in ms, that fits a status: when the payment came to it, and when it began for `all` and `ready`. */
export function instantOf(payment: Payment, status: PaymentStatus | 'all'): number {
  switch (status) {
    case 'paid':
      return payment.paidAtMs ?? 0;
    case 'failed':
      return payment.failedAtMs ?? 0;
    case 'cancelled':
      return payment.cancels.at(-1)?.atMs ?? 0;
    default:
      return payment.startedAtMs;
  }
}
