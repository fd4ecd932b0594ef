import type { ChargeStore } from '../../../../src/store/charge-store.ts';
import { ALL_OF_A_SWEEP, ALL_OF_A_TICK } from '../../../../src/store/due-work.ts';
import { instant } from '../../../../src/store/instant.ts';
import type { ScheduleStore } from '../../../../src/store/schedule-store.ts';
import { accountAs, putUpForRefund, putUpForReview } from './accounting.ts';
import { cardsAwaited } from './awaiting.ts';
import { clearArrears, drawUp, dueSubscriptions, endStopped, endSubscriptions, passOver } from './drawing-up.ts';
import { takeBackIntent, writeIntent } from './intending.ts';
import { lease, presentCards } from './leasing.ts';
import { canaries, observe, recentSends, rememberBillingKey } from './observing.ts';
import { record } from './recording.ts';
import { settleInvoices, unsettledInvoices } from './releasing.ts';
import { expireSends, prepareRetries, retriesDue, ring } from './ringing.ts';
import type { Tables } from './tables.ts';
import { unaccountedCaptures } from './unaccounted.ts';
import { claimWatched, watchOn } from './watching.ts';

/** Carries a statement to the tables: at once, or when a scheduler of interleavings says so. */
export type Carry = <Result>(name: string, statement: () => Result) => Promise<Result>;

/** At once. */
export function carryAtOnce(tables: Tables): Carry {
  return async (_, statement) => tables.statement(statement);
}

/** The store that workers and schedulers use, over rows in memory. Every call is one statement. */
export function memoryStore(tables: Tables, carry: Carry): ChargeStore & ScheduleStore {
  const bound =
    <Args extends readonly unknown[], Result>(name: string, call: (tables: Tables, ...args: Args) => Result) =>
    (...args: Args): Promise<Result> =>
      carry(name, () => call(tables, ...args));
  return {
    lease: bound('lease', lease),
    writeIntent: bound('writeIntent', writeIntent),
    takeBackIntent: bound('takeBackIntent', takeBackIntent),
    presentCards: bound('presentCards', presentCards),
    record: bound('record', record),
    observe: bound('observe', observe),
    rememberBillingKey: bound('rememberBillingKey', rememberBillingKey),
    schedulesListed: bound('schedulesListed', () => false), // the model's gateway has none
    canaries: bound('canaries', canaries),
    recentSends: bound('recentSends', recentSends),
    databaseNow: bound('databaseNow', ({ nowMs }) => instant(new Date(nowMs))),
    // Everything may be: whatever the real one passes over would show as a difference.
    dueInTick: bound('dueInTick', ({ nowMs }) => ({ now: instant(new Date(nowMs)), ...ALL_OF_A_TICK })),
    dueInSweep: bound('dueInSweep', () => ALL_OF_A_SWEEP),
    dueSubscriptions: bound('dueSubscriptions', dueSubscriptions),
    nextPeriodAt: bound('nextPeriodAt', () => null), // the model ticks when it likes
    drawUp: bound('drawUp', drawUp),
    endSubscriptions: bound('endSubscriptions', endSubscriptions),
    passOver: bound('passOver', passOver),
    clearArrears: bound('clearArrears', clearArrears),
    endStopped: bound('endStopped', endStopped),
    unsettledInvoices: bound('unsettledInvoices', unsettledInvoices),
    settleInvoices: bound('settleInvoices', settleInvoices),
    payableByGivenCards: bound('payableByGivenCards', () => []), // no payer of the model gives another card
    findForIntervention: bound('findForIntervention', () => null),
    intervene: bound('intervene', () => false),
    cardsAwaited: bound('cardsAwaited', cardsAwaited),
    retriesDue: bound('retriesDue', retriesDue),
    enterSteps: bound('enterSteps', () => 0), // no policy of the model has steps
    prepareRetries: bound('prepareRetries', prepareRetries),
    ring: bound('ring', ring),
    expireSends: bound('expireSends', expireSends),
    unaccountedCaptures: bound('unaccountedCaptures', unaccountedCaptures),
    recordElsewhere: async () => 'recorded' as const, // the model's gateway lists no cancellations
    accountAs: bound('accountAs', accountAs),
    putUpForRefund: bound('putUpForRefund', putUpForRefund),
    putUpForReview: bound('putUpForReview', putUpForReview),
    claimWatched: bound('claimWatched', claimWatched),
    watchOn: bound('watchOn', watchOn),
  };
}
