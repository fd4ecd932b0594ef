import { randomBytes } from 'node:crypto';
import type { Cancel, Entry, Payment } from './entry.ts';
import type { Faults } from './faults/faults.ts';
import type { Ledger } from './ledger.ts';
import type { SandboxModes } from './modes.ts';
import { cancelledMinor } from './standing.ts';
import { apply, paymentsOf, type State } from './state.ts';
import type { SandboxTime } from './time.ts';
import type { Tokens } from './tokens.ts';
import type { Webhooks } from './webhooks.ts';

/** What every route works with. */
export type Core = {
  readonly state: State;
  readonly ledger: Ledger;
  readonly time: SandboxTime;
  readonly tokens: Tokens;
  readonly modes: SandboxModes;
  readonly faults: Faults;
  readonly webhooks: Webhooks;
  /** Told when a request begins to be held for ever (1), and when its caller has left (-1). */
  readonly held: (by: 1 | -1) => void;
};

/** Lets something happen. It is durable, and may be answered for, once `core.ledger.synced()` resolves. */
export function record(core: Core, entry: Entry): void {
  const before = entry.kind === 'payment' ? core.state.payments.get(entry.payment.impUid) : undefined;
  apply(core.state, entry);
  core.ledger.append(entry);
  core.webhooks.ofEntry(core, entry, before);
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

/** Has what a payment still has before it happen when its time comes: its capture, and the end of that. */
export function awaitFuture(core: Core, { impUid, settlesAtMs, reversesAtMs }: Payment): void {
  if (settlesAtMs !== null) core.time.at(settlesAtMs, (dueMs) => settle(core, impUid, dueMs));
  if (reversesAtMs !== null) core.time.at(reversesAtMs, (dueMs) => reverse(core, impUid, dueMs));
}

/** The payment company gives back what is left of a capture, and nobody asked for it. */
function reverse(core: Core, impUid: string, atMs: number): void {
  const payment = core.state.payments.get(impUid);
  const minor = payment === undefined ? 0 : payment.minor - cancelledMinor(payment);
  if (payment === undefined || payment.paidAtMs === null || minor === 0) return;
  record(core, { kind: 'cancelled', impUid, cancel: cancelOf(payment, { minor, reason: '결제사 취소', atMs }) });
}

/** A cancel of a captured payment that is about to be recorded. */
export function cancelOf(payment: Payment, what: Pick<Cancel, 'minor' | 'reason' | 'atMs'>): Cancel {
  const cancellationId = `cancellation_${randomBytes(12).toString('hex')}`;
  return { cancellationId, pgTid: `${payment.pgTid}C${payment.cancels.length + 1}`, ...what };
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
