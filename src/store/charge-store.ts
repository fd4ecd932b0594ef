import { rememberBillingKey, schedulesListed } from './billing-keys.ts';
import { presentCards } from './cards.ts';
import type { Db } from './db.ts';
import { takeBackIntent, writeIntent } from './intent.ts';
import { lease } from './lease.ts';
import { observe } from './observations.ts';
import { record } from './record.ts';
import { canaries, recentSends } from './sends.ts';

/**
 * What a worker asks of the database: each call is one statement. It stands on Postgres here; the
 * model of the charge protocol has one in memory, and one suite holds for both.
 */
export type ChargeStore = ReturnType<typeof chargeStore>;

/** The rows themselves. */
export function chargeStore(db: Db) {
  return {
    lease: bound(db, lease),
    writeIntent: bound(db, writeIntent),
    takeBackIntent: bound(db, takeBackIntent),
    presentCards: bound(db, presentCards),
    record: bound(db, record),
    observe: bound(db, observe),
    rememberBillingKey: bound(db, rememberBillingKey),
    schedulesListed: bound(db, schedulesListed),
    canaries: bound(db, canaries),
    recentSends: bound(db, recentSends),
  };
}

/** A function of the store with its database given. */
export function bound<Args extends readonly unknown[], Result>(
  db: Db,
  call: (db: Db, ...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  return (...args) => call(db, ...args);
}
