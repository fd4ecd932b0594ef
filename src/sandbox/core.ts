import type { Entry, Payment } from './entry.ts';
import type { Ledger } from './ledger.ts';
import type { SandboxModes } from './modes.ts';
import { apply, paymentsOf, type State } from './state.ts';
import type { SandboxTime } from './time.ts';
import type { Tokens } from './tokens.ts';

/** What every route works with. */
export type Core = {
  readonly state: State;
  readonly ledger: Ledger;
  readonly time: SandboxTime;
  readonly tokens: Tokens;
  readonly modes: SandboxModes;
};

/** Lets something happen. It is durable, and may be answered for, once `core.ledger.synced()` resolves. */
export function record(core: Core, entry: Entry): void {
  apply(core.state, entry);
  core.ledger.append(entry);
}

/** Whether an earlier use of the merchant_uid forbids another charge; `exceptImpUid` is not counted. */
export function isUidTaken(core: Core, merchantUid: string, exceptImpUid?: string): boolean {
  const others = paymentsOf(core.state, merchantUid).filter((payment) => payment.impUid !== exceptImpUid);
  switch (core.modes.duplicateUid) {
    case 'accept':
      return false;
    case 'refuse-any-used':
      return others.length > 0;
    default:
      return others.some((payment) => payment.status === 'paid'); // cancelled ones are paid ones with cancels
  }
}

/** The message for a charge under a merchant_uid that is taken (fact sheet §2.4). */
export const DUPLICATE_UID = '이미 주문이 이루어진 건입니다. (동일한 merchant_uid로 결제 또는 취소된 기록이 있습니다)';

/** Has a payment that is undecided so far captured when its time comes. */
export function settleLater(core: Core, { impUid, settlesAtMs }: Payment): void {
  if (settlesAtMs !== null) core.time.at(settlesAtMs, (dueMs) => settle(core, impUid, dueMs));
}

function settle(core: Core, impUid: string, atMs: number): void {
  const payment = core.state.promised.get(impUid) ?? core.state.payments.get(impUid);
  if (payment === undefined || payment.settlesAtMs === null) return;
  if (core.modes.concurrency === 'serialise' && isUidTaken(core, payment.merchantUid, impUid)) {
    record(core, beaten(core, payment, atMs));
    return;
  }
  record(core, {
    kind: 'payment',
    payment: { ...payment, status: 'paid', paidAtMs: atMs, failedAtMs: null, failReason: null, settlesAtMs: null },
  });
}

/** Another charge under the same merchant_uid was captured first: this one comes to nothing. */
function beaten(core: Core, payment: Payment, atMs: number): Entry {
  if (core.state.promised.has(payment.impUid)) return { kind: 'promise-dropped', impUid: payment.impUid };
  const failedAtMs = payment.failedAtMs ?? atMs;
  const failReason = payment.failReason ?? DUPLICATE_UID;
  return { kind: 'payment', payment: { ...payment, status: 'failed', failedAtMs, failReason, settlesAtMs: null } };
}
