import { heldOf, heldPaid, raise } from './audit.ts';
import { keepAuditTurn, recordAudit, recordSchedules, takeAuditTurn, takeSchedulesTurn } from './audit-turn.ts';
import { holdBookedKeys, ownKeys } from './billing-keys.ts';
import { reviewPayment } from './captures.ts';
import { bound } from './charge-store.ts';
import type { Db } from './db.ts';
import { databaseNow } from './due.ts';
import { markGone, observe } from './observations.ts';
import { raiseUnknownCaptures } from './sending-alarms.ts';
import { canaries } from './sends.ts';

/** What an audit asks of the database. See `ChargeStore`. */
export type AuditStore = ReturnType<typeof auditStore>;

/** The rows themselves. */
export function auditStore(db: Db) {
  return {
    databaseNow: bound(db, databaseNow),
    observe: bound(db, observe),
    markGone: bound(db, markGone),
    canaries: bound(db, canaries),
    heldOf: bound(db, heldOf),
    heldPaid: bound(db, heldPaid),
    raise: bound(db, raise),
    reviewPayment: bound(db, reviewPayment),
    raiseUnknownCaptures: bound(db, raiseUnknownCaptures),
    ownKeys: bound(db, ownKeys),
    holdBookedKeys: bound(db, holdBookedKeys),
    takeAuditTurn: bound(db, takeAuditTurn),
    keepAuditTurn: bound(db, keepAuditTurn),
    recordAudit: bound(db, recordAudit),
    takeSchedulesTurn: bound(db, takeSchedulesTurn),
    recordSchedules: bound(db, recordSchedules),
  };
}
