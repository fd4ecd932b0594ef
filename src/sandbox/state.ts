import { assertNever } from '../billing/errors.ts';
import type { Entry, Key, Payment, Schedule } from './entry.ts';
import { serialOf } from './numbers.ts';
import { Timeline } from './timeline.ts';

/** Money that moved: a capture, or a cancel that gave some of it back. */
export type Movement = {
  readonly status: 'paid' | 'cancelled';
  readonly impUid: string;
  readonly minor: number;
  readonly capturedAtMs: number;
  readonly cancelledAtMs: number | null;
};

/** What the ledger's entries add up to. Only `apply` changes it. */
export type State = {
  offsetMs: number;
  /** The highest number given to a payment so far. */
  lastSerial: number;
  readonly keys: Map<string, Key>;
  /** By imp_uid, in the order in which the records appeared. */
  readonly payments: Map<string, Payment>;
  readonly timeline: Timeline;
  readonly impUidsByMerchantUid: Map<string, string[]>;
  readonly impUidsByCustomerUid: Map<string, string[]>;
  /** Of payments that were captured after their record appeared: the record before, by imp_uid. */
  readonly beforeCapture: Map<string, Payment>;
  /** Charges that will be captured but are not visible yet, by imp_uid. */
  readonly promised: Map<string, Payment>;
  /** customer_uids whose present key has been charged at least once. */
  readonly chargedKeys: Set<string>;
  readonly movements: Movement[];
  /** imp_uids of declined payments that Recovery has charged with success. */
  readonly recovered: Set<string>;
  /** By merchant_uid, in the order in which they were booked. */
  readonly schedules: Map<string, Schedule>;
  /** The serial of the last charge or cancel that arrived. */
  lastRequest: number;
  /** Serials of those that have not ended. */
  readonly openRequests: Set<number>;
};

/** A sandbox in which nothing has happened. */
export function emptyState(): State {
  return {
    offsetMs: 0,
    lastSerial: 0,
    keys: new Map(),
    payments: new Map(),
    timeline: new Timeline(),
    impUidsByMerchantUid: new Map(),
    impUidsByCustomerUid: new Map(),
    beforeCapture: new Map(),
    promised: new Map(),
    chargedKeys: new Set(),
    movements: [],
    recovered: new Set(),
    schedules: new Map(),
    lastRequest: 0,
    openRequests: new Set(),
  };
}

/** Brings one entry into the state. The same entries in the same order give the same state. */
export function apply(state: State, entry: Entry): void {
  switch (entry.kind) {
    case 'clock-moved':
      state.offsetMs = entry.offsetMs;
      return;
    case 'key-stored':
      state.keys.set(entry.key.customerUid, entry.key);
      state.chargedKeys.delete(entry.key.customerUid);
      return;
    case 'key-deleted':
      state.keys.delete(entry.customerUid);
      return;
    case 'payment':
      applyPayment(state, entry.payment);
      return;
    case 'capture-promised':
      applyPromise(state, entry.payment);
      return;
    case 'promise-dropped':
      state.promised.delete(entry.impUid);
      return;
    case 'cancelled':
      applyCancel(state, entry);
      return;
    case 'schedule':
      state.schedules.set(entry.schedule.merchantUid, entry.schedule);
      return;
    case 'request':
      state.lastRequest = entry.serial;
      state.openRequests.add(entry.serial);
      return;
    case 'request-ended':
      state.openRequests.delete(entry.serial);
      return;
    default:
      assertNever(entry);
  }
}

/** The payments under a merchant_uid, in the order in which they appeared. */
export function paymentsOf(state: State, merchantUid: string): Payment[] {
  return pick(state, state.impUidsByMerchantUid.get(merchantUid));
}

/** The payments made with a customer_uid, in the order in which they appeared. */
export function paymentsOfCustomer(state: State, customerUid: string): Payment[] {
  return pick(state, state.impUidsByCustomerUid.get(customerUid));
}

function applyPromise(state: State, payment: Payment): void {
  state.lastSerial = Math.max(state.lastSerial, serialOf(payment.impUid));
  state.promised.set(payment.impUid, payment);
  if (payment.customerUid !== null) state.chargedKeys.add(payment.customerUid);
  executeSchedule(state, payment);
}

/** One entry does both, so that no crash can leave a charge behind whose schedule is still to come. */
function executeSchedule(state: State, { cause, merchantUid, impUid, startedAtMs }: Payment): void {
  const schedule = state.schedules.get(merchantUid);
  if (cause.by !== 'schedule' || schedule?.status !== 'scheduled') return;
  state.schedules.set(merchantUid, { ...schedule, status: 'executed', executedAtMs: startedAtMs, impUid });
}

function applyPayment(state: State, payment: Payment): void {
  const before = state.payments.get(payment.impUid);
  state.lastSerial = Math.max(state.lastSerial, serialOf(payment.impUid));
  keep(state, payment);
  state.promised.delete(payment.impUid);
  if (before === undefined) {
    executeSchedule(state, payment);
    index(state.impUidsByMerchantUid, payment.merchantUid, payment.impUid);
    if (payment.customerUid !== null) {
      index(state.impUidsByCustomerUid, payment.customerUid, payment.impUid);
      state.chargedKeys.add(payment.customerUid);
    }
  }
  if (payment.paidAtMs === null || before?.status === 'paid') return;
  const { impUid, minor, paidAtMs, cause } = payment;
  if (cause.by === 'recovery') state.recovered.add(cause.of);
  if (before !== undefined) state.beforeCapture.set(impUid, before);
  state.movements.push({ status: 'paid', impUid, minor, capturedAtMs: paidAtMs, cancelledAtMs: null });
}

function applyCancel(state: State, { impUid, cancel }: Extract<Entry, { kind: 'cancelled' }>): void {
  const payment = state.payments.get(impUid);
  if (payment === undefined || payment.paidAtMs === null) throw new Error(`${impUid} is cancelled but never captured`);
  keep(state, { ...payment, cancels: [...payment.cancels, cancel] });
  const capturedAtMs = payment.paidAtMs;
  state.movements.push({ status: 'cancelled', impUid, minor: cancel.minor, capturedAtMs, cancelledAtMs: cancel.atMs });
}

function keep(state: State, payment: Payment): void {
  state.timeline.note(payment, state.payments.get(payment.impUid));
  state.payments.set(payment.impUid, payment);
}

function index(lists: Map<string, string[]>, name: string, impUid: string): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [impUid]);
  else list.push(impUid);
}

function pick(state: State, impUids: readonly string[] | undefined): Payment[] {
  return (impUids ?? []).flatMap((impUid) => state.payments.get(impUid) ?? []);
}
