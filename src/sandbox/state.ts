import { assertNever } from '../billing/errors.ts';
import type { Entry, Key, Payment } from './entry.ts';
import { serialOf } from './numbers.ts';

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
  readonly impUidsByMerchantUid: Map<string, string[]>;
  readonly impUidsByCustomerUid: Map<string, string[]>;
  /** Charges that will be captured but are not visible yet, by imp_uid. */
  readonly promised: Map<string, Payment>;
  /** customer_uids whose present key has been charged at least once. */
  readonly chargedKeys: Set<string>;
  readonly movements: Movement[];
};

/** A sandbox in which nothing has happened. */
export function emptyState(): State {
  return {
    offsetMs: 0,
    lastSerial: 0,
    keys: new Map(),
    payments: new Map(),
    impUidsByMerchantUid: new Map(),
    impUidsByCustomerUid: new Map(),
    promised: new Map(),
    chargedKeys: new Set(),
    movements: [],
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
      state.lastSerial = Math.max(state.lastSerial, serialOf(entry.payment.impUid));
      state.promised.set(entry.payment.impUid, entry.payment);
      if (entry.payment.customerUid !== null) state.chargedKeys.add(entry.payment.customerUid);
      return;
    case 'promise-dropped':
      state.promised.delete(entry.impUid);
      return;
    case 'cancelled':
      applyCancel(state, entry);
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

/** What has been cancelled of a payment so far, in minor units. */
export function cancelledMinor(payment: Payment): number {
  return payment.cancels.reduce((sum, cancel) => sum + cancel.minor, 0);
}

/** The status that V1 shows: one cancel, even a partial one, makes a payment `cancelled`. */
export function statusOf(payment: Payment): 'ready' | 'paid' | 'failed' | 'cancelled' {
  return payment.cancels.length > 0 ? 'cancelled' : payment.status;
}

function applyPayment(state: State, payment: Payment): void {
  const before = state.payments.get(payment.impUid);
  state.lastSerial = Math.max(state.lastSerial, serialOf(payment.impUid));
  state.payments.set(payment.impUid, payment);
  state.promised.delete(payment.impUid);
  if (before === undefined) {
    index(state.impUidsByMerchantUid, payment.merchantUid, payment.impUid);
    if (payment.customerUid !== null) {
      index(state.impUidsByCustomerUid, payment.customerUid, payment.impUid);
      state.chargedKeys.add(payment.customerUid);
    }
  }
  if (payment.paidAtMs === null || before?.status === 'paid') return;
  const { impUid, minor, paidAtMs } = payment;
  state.movements.push({ status: 'paid', impUid, minor, capturedAtMs: paidAtMs, cancelledAtMs: null });
}

function applyCancel(state: State, { impUid, cancel }: Extract<Entry, { kind: 'cancelled' }>): void {
  const payment = state.payments.get(impUid);
  if (payment === undefined || payment.paidAtMs === null) throw new Error(`${impUid} is cancelled but never captured`);
  state.payments.set(impUid, { ...payment, cancels: [...payment.cancels, cancel] });
  const capturedAtMs = payment.paidAtMs;
  state.movements.push({ status: 'cancelled', impUid, minor: cancel.minor, capturedAtMs, cancelledAtMs: cancel.atMs });
}

function index(lists: Map<string, string[]>, name: string, impUid: string): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [impUid]);
  else list.push(impUid);
}

function pick(state: State, impUids: readonly string[] | undefined): Payment[] {
  return (impUids ?? []).flatMap((impUid) => state.payments.get(impUid) ?? []);
}
