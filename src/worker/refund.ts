import type { CancelRequest } from '../billing/cancel.ts';
import { assertNever } from '../billing/errors.ts';
import { money } from '../billing/money.ts';
import { followRefund, type RefundEvent, type RefundStanding, type RefundTransition } from '../billing/refund.ts';
import type { PaymentSight } from '../billing/refund-sight.ts';
import { sightOf } from '../gateway/canary.ts';
import type { LeasedRefund, RefundIntent } from '../store/refunds.ts';
import { reachGateway } from './before-sending.ts';
import type { RefundDeps } from './deps.ts';
import { STOOD_STILL, startGuard } from './stopwatch.ts';

/**
 * Works on every refund that is due, one after the other: lease, look, intend, one POST, record. `only` names those that
 * are meant; past `signal` none is begun, and no intent is written. Safe beside any number of others. Returns how many
 * were worked on; throws when the database is away.
 */
export async function refundDue(
  given: RefundDeps,
  { only = null, signal }: { readonly only?: readonly string[] | null; readonly signal?: AbortSignal } = {},
): Promise<number> {
  const deps = signal === undefined ? given : { ...given, stopped: signal };
  for (let worked = 0; ; worked += 1) {
    const goesOn = worked < AT_ONCE && signal?.aborted !== true;
    const refund = goesOn ? await deps.store.leaseRefund(deps.leaseSeconds, only) : null;
    if (refund === null) return worked;
    await deps.failpoints.at('refund.leased');
    await conclude(deps, refund, await proceed(deps, refund));
  }
}

async function proceed(deps: RefundDeps, refund: LeasedRefund): Promise<RefundTransition | null> {
  const barred = await unreachable(deps, refund);
  if (barred !== null) return recorded(follow(deps, refund, barred));
  const step = follow(deps, refund, { kind: 'looked', at: await look(deps, refund) });
  return step.kind === 'send' ? send(deps, refund) : step;
}

/** Null when the intent was lost to somebody else. */
async function send(deps: RefundDeps, refund: LeasedRefund): Promise<RefundTransition | null> {
  const barred = (await nothingLeft(deps, refund)) ?? (await unreachable(deps, refund));
  if (barred !== null) return recorded(follow(deps, refund, barred));
  const { timeoutSeconds, horizonSeconds } = deps.channel(refund.subscription.channel);
  const { needsAdoption, fingerprint } = deps;
  if (deps.stopped?.aborted === true) return recorded(follow(deps, refund, STOPPING));
  const mayStart = startGuard(deps.clock);
  const limits = { timeoutSeconds, horizonSeconds, needsAdoption, fingerprint };
  const intent = await deps.store.writeRefundIntent(refund, limits);
  if (intent.kind === 'refused') {
    const event = refusedIntent(intent);
    return event === null ? null : recorded(follow(deps, refund, event));
  }
  await deps.failpoints.at('refund.intended');
  const sent = { sends: refund.sends + 1, sentAt: intent.sentAt, state: 'sent' } as const;
  if (!mayStart()) return recorded(follow(deps, refund, SUSPENDED, sent));
  const cancelling = deps.gateway.cancel(requestFor(refund), timeoutSeconds * 1_000, mayStart);
  await deps.failpoints.at('refund.in_flight');
  const answer = await cancelling;
  await deps.failpoints.at('refund.answered');
  if (answer.kind === 'done') await deps.store.observe([answer.record], 'answer');
  const event: RefundEvent =
    answer.kind === 'refused'
      ? { kind: 'refused', reason: answer.reason, at: await look(deps, refund) }
      : { kind: 'answered', answer };
  return recorded(follow(deps, refund, event, sent));
}

/**
 * The payment as the gateway has it now; what it tells is a fact, whoever holds the refund. "Not found" is held against a
 * payment that is known to be paid.
 */
async function look({ gateway, store }: RefundDeps, { impUid, merchantUid }: LeasedRefund): Promise<PaymentSight> {
  const at = await gateway.payment(impUid);
  if (at.kind === 'found') await store.observe([at.record], 'look_up');
  if (at.kind !== 'absent') return at;
  const canary = await sightOf(gateway, await store.canaries(merchantUid));
  return canary.kind === 'seen' ? { kind: 'missing' } : at;
}

/** Nobody asked for this refund: the payment that it leaves must stand, or both would be given back. Null when it does. */
async function nothingLeft(deps: RefundDeps, { keeps }: LeasedRefund): Promise<RefundEvent | null> {
  if (keeps === null) return null;
  const at = await deps.gateway.payment(keeps);
  if (at.kind !== 'found') return { kind: 'barred', reason: `${keeps}, which is to stay, cannot be seen` };
  await deps.store.observe([at.record], 'look_up');
  const { amount, cancelMinor, status } = at.record;
  const stands = (status === 'paid' || status === 'cancelled') && amount !== null && cancelMinor < amount.minor;
  return stands ? null : { kind: 'barred', reason: `${keeps}, which was to stay, is ${status}` };
}

async function unreachable(deps: RefundDeps, refund: LeasedRefund): Promise<RefundEvent | null> {
  const reached = await reachGateway(deps, refund);
  if (reached.kind === 'clear') return null;
  return { kind: 'barred', reason: reached.outcome.reason };
}

function follow(
  deps: RefundDeps,
  refund: LeasedRefund,
  event: RefundEvent,
  now: Pick<RefundStanding, 'state' | 'sends' | 'sentAt'> = refund,
) {
  const { timeoutSeconds, horizonSeconds } = deps.channel(refund.subscription.channel);
  const standing = { ...refund, ...now, timeoutSeconds, horizonSeconds, leases: refund.fence };
  return followRefund(standing, event, refund.now);
}

async function conclude(deps: RefundDeps, refund: LeasedRefund, next: RefundTransition | null): Promise<void> {
  if (next?.payment === 'gone') await deps.store.markGone(refund.impUid);
  const stands = next !== null && (await deps.store.recordRefund(refund, next));
  await deps.failpoints.at('refund.recorded');
  const { id, invoiceId, impUid, subscription } = refund;
  deps.report({
    kind: 'refund.finished',
    refundId: id,
    invoiceId,
    impUid,
    subscription: subscription.externalId,
    state: stands ? next.state : 'superseded',
    reason: next?.reason ?? null,
  });
}

function recorded(step: ReturnType<typeof followRefund>): RefundTransition {
  if (step.kind === 'send') throw new Error('only a look may lead to a send');
  return step;
}

function requestFor({ impUid, amountMinor, checksumMinor, currency, reason }: LeasedRefund): CancelRequest {
  return { impUid, amount: money(amountMinor, currency), checksum: money(checksumMinor, currency), reason };
}

/** Nothing was sent; null where somebody else has the refund now. */
function refusedIntent({ because }: Extract<RefundIntent, { kind: 'refused' }>): RefundEvent | null {
  switch (because) {
    case 'lost':
      return null;
    case 'switched_off':
      return { kind: 'barred', reason: 'sending is switched off' };
    case 'foreign_database':
      return { kind: 'barred', reason: 'this database belongs to another installation: see `maedal adopt`' };
    case 'not_adopted':
      return { kind: 'barred', reason: 'this database was not adopted for live charges' };
    case 'in_review':
      return { kind: 'barred', reason: 'its invoice is in review: a person must decide what stays' };
    default:
      return assertNever(because);
  }
}

const STOPPING: RefundEvent = { kind: 'barred', reason: 'this process was told to stop before it had sent the refund' };
const SUSPENDED: RefundEvent = {
  kind: 'answered',
  answer: { kind: 'not-sent', reason: STOOD_STILL },
};
/** What is left waits for the next pass, so that a pass has an end. */
const AT_ONCE = 100;
