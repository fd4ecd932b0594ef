import { cardsAwaited } from './awaiting.ts';
import { accountAs, putUpForRefund, putUpForReview } from './captures.ts';
import { bound } from './charge-store.ts';
import type { Db } from './db.ts';
import { clearArrears, drawUp, dueSubscriptions, passOver } from './draw-up.ts';
import { databaseNow, expireSends, prepareRetries, retriesDue, ring } from './due.ts';
import { dueInSweep, dueInTick } from './due-work.ts';
import { endStopped, endSubscriptions } from './ending.ts';
import { payableByGivenCards } from './given-cards.ts';
import { findForIntervention, intervene } from './interventions.ts';
import { observe } from './observations.ts';
import { record } from './record.ts';
import { recordElsewhere } from './refunds-elsewhere.ts';
import { canaries } from './sends.ts';
import { enterSteps } from './steps.ts';
import { settleInvoices, unsettledInvoices } from './subscription-orders.ts';
import { unaccountedCaptures } from './unaccounted.ts';
import { nextPeriodAt } from './upcoming.ts';
import { claimWatched, watchOn } from './watch.ts';

/** What a scheduler asks of the database. See `ChargeStore`. */
export type ScheduleStore = ReturnType<typeof scheduleStore>;

/** The rows themselves. */
export function scheduleStore(db: Db) {
  return {
    databaseNow: bound(db, databaseNow),
    dueInTick: bound(db, dueInTick),
    dueInSweep: bound(db, dueInSweep),
    dueSubscriptions: bound(db, dueSubscriptions),
    nextPeriodAt: bound(db, nextPeriodAt),
    drawUp: bound(db, drawUp),
    endSubscriptions: bound(db, endSubscriptions),
    passOver: bound(db, passOver),
    clearArrears: bound(db, clearArrears),
    endStopped: bound(db, endStopped),
    unsettledInvoices: bound(db, unsettledInvoices),
    settleInvoices: bound(db, settleInvoices),
    payableByGivenCards: bound(db, payableByGivenCards),
    findForIntervention: bound(db, findForIntervention),
    intervene: bound(db, intervene),
    cardsAwaited: bound(db, cardsAwaited),
    retriesDue: bound(db, retriesDue),
    enterSteps: bound(db, enterSteps),
    prepareRetries: bound(db, prepareRetries),
    ring: bound(db, ring),
    expireSends: bound(db, expireSends),
    unaccountedCaptures: bound(db, unaccountedCaptures),
    recordElsewhere: bound(db, recordElsewhere),
    accountAs: bound(db, accountAs),
    putUpForRefund: bound(db, putUpForRefund),
    putUpForReview: bound(db, putUpForReview),
    record: bound(db, record),
    observe: bound(db, observe),
    canaries: bound(db, canaries),
    claimWatched: bound(db, claimWatched),
    watchOn: bound(db, watchOn),
  };
}
