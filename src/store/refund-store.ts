import { bound } from './charge-store.ts';
import type { Db } from './db.ts';
import { markGone, observe } from './observations.ts';
import { leaseRefund, recordRefund, writeRefundIntent } from './refunds.ts';
import { canaries } from './sends.ts';

/** What a worker that refunds asks of the database. See `ChargeStore`. */
export type RefundStore = ReturnType<typeof refundStore>;

/** The rows themselves. */
export function refundStore(db: Db) {
  return {
    leaseRefund: bound(db, leaseRefund),
    writeRefundIntent: bound(db, writeRefundIntent),
    recordRefund: bound(db, recordRefund),
    observe: bound(db, observe),
    markGone: bound(db, markGone),
    canaries: bound(db, canaries),
  };
}
