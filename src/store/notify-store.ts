import { bound } from './charge-store.ts';
import type { Db } from './db.ts';
import { disableEndpoint, leaseDeliveries, recordTry } from './deliveries.ts';
import { giveUpOrphans } from './endpoints.ts';
import { forgetEvents, takeUpEvents } from './outbox.ts';

/** What the relay asks of the database. See `ChargeStore`. */
export type NotifyStore = ReturnType<typeof notifyStore>;

/** The rows themselves. */
export function notifyStore(db: Db) {
  return {
    takeUpEvents: bound(db, takeUpEvents),
    leaseDeliveries: bound(db, leaseDeliveries),
    recordTry: bound(db, recordTry),
    disableEndpoint: bound(db, disableEndpoint),
    giveUpOrphans: bound(db, giveUpOrphans),
    forgetEvents: bound(db, forgetEvents),
  };
}
