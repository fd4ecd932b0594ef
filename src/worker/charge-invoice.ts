import type { DateTime } from 'luxon';
import type { ChargeAnswer } from '../billing/charge.ts';
import { assertNever } from '../billing/errors.ts';
import { seedOf } from '../billing/next-try.ts';
import { type Asked, type ChargeOutcome, judgeAnswer, judgeRefusal } from '../billing/outcome.ts';
import { timed } from '../billing/retry-time.ts';
import { instant } from '../store/instant.ts';
import type { Intent } from '../store/intent.ts';
import type { LeasedAttempt } from '../store/lease.ts';
import { asked, requestFor } from './asked.ts';
import { askBefore } from './before-hooks.ts';
import { checkBillingKey, notSent, reachGateway } from './before-sending.ts';
import { deadline } from './canary.ts';
import type { Conclusion } from './conclude.ts';
import type { WorkerDeps } from './deps.ts';
import { lookBeforeSending } from './look-before-sending.ts';
import { refusedByGateway } from './refused.ts';
import { STOOD_STILL, startGuard } from './stopwatch.ts';

/**
 * Charges a leased attempt: ask the merchant, look, intend, one POST, read the answer. No transaction is open around any
 * of the calls, and nothing of the merchant's runs after the look has begun.
 */
export async function chargeAttempt(deps: WorkerDeps, leased: LeasedAttempt): Promise<Conclusion> {
  const opensAt = retriedFrom(leased);
  if (opensAt > leased.now)
    return { kind: 'deferred', until: opensAt, reason: 'its policy tries again at other hours' };
  const brake = await deps.brake.check(leased.subscription.channel);
  if (brake.kind === 'braked') return notSent(brake.reason);
  const asked = await askBefore(deps, leased);
  return asked.kind === 'go' ? lookAndSend(deps, asked.attempt, brake.stoppedSince) : asked;
}

async function lookAndSend(
  deps: WorkerDeps,
  attempt: LeasedAttempt,
  stoppedSince: () => string | null,
): Promise<Conclusion> {
  const isLate = deadline(deps);
  const reached = await reachGateway(deps, attempt);
  if (reached.kind !== 'clear') return reached;
  await deps.failpoints.at('token.in_hand');
  const checked = await checkBillingKey(deps, attempt);
  if (checked.kind !== 'clear') return checked;
  await deps.failpoints.at('billing_key.checked');
  const looked = await lookBeforeSending(deps, attempt, isLate);
  if (looked.kind !== 'clear') return looked;
  await deps.failpoints.at('look.done');
  return settled(await sendLooked(deps, attempt, { seen: looked.seen, stoppedSince }));
}

/** All its ids are settled: whatever put it off before, that did not. */
function settled(conclusion: Conclusion): Conclusion {
  if (conclusion.kind !== 'outcome' || conclusion.outcome.kind !== 'not-sent') return conclusion;
  return { ...conclusion, outcome: { ...conclusion.outcome, unsettled: false } };
}

/** What was found on the way to the send. */
type Way = {
  /** The payments that are known under its own id. */
  readonly seen: readonly string[];
  /** Why its channel stopped meanwhile, for an answer to another charge; null where it did not. */
  readonly stoppedSince: () => string | null;
};

async function sendLooked(deps: WorkerDeps, attempt: LeasedAttempt, way: Way): Promise<Conclusion> {
  const first = await send(deps, attempt, way);
  // A 401 is answered before any payment company is called: one new token, one new intent, under the same id.
  return first.kind === 'unauthorized' ? sendWithNewToken(deps, first, way) : first;
}

/**
 * A retry that was late, or put off, waits for the hours of its policy. What was sent once goes again as soon as it may, and
 * what a person has let go at once.
 */
function retriedFrom({ number, sendCount, notSentCount, isOrdered, now, policy }: LeasedAttempt): DateTime {
  const wasSent = sendCount > notSentCount;
  return number === 1 || wasSent || isOrdered ? now : timed(now, '', { ...policy, jitterMinutes: 0 });
}

/** Midnight is no hour to charge at where a policy has hours: then every card of that day would go at once. */
function tomorrowOf(midnight: Date, attempt: LeasedAttempt): DateTime {
  return timed(instant(midnight), seedOf(attempt), attempt.policy);
}

const STOPPING = 'this process was told to stop before it had sent the charge';
const BLOCKED_TODAY = 'its card may not be tried again today, as the payment company said of another charge';

type Answered = Exclude<ChargeAnswer, { kind: 'unauthorized' }>;

/** The gateway knew no token of ours; `attempt` is as the intent left it. */
type Unauthorized = { readonly kind: 'unauthorized'; readonly attempt: LeasedAttempt; readonly reason: string };

async function send(deps: WorkerDeps, attempt: LeasedAttempt, way: Way): Promise<Conclusion | Unauthorized> {
  const ready = await reachGateway(deps, attempt);
  if (ready.kind !== 'clear') return { ...ready, attempt };
  const { timeoutSeconds, quarantineSeconds } = deps.channel(attempt.subscription.channel);
  const maxAmountMinor = deps.maxAmountMinor(attempt.amount.currency);
  // What waits for us to end has its limit: a call that began now might be cut by it.
  const stop = deps.stopped?.aborted === true ? STOPPING : way.stoppedSince();
  if (stop !== null) return { ...notSent(stop), attempt };
  const mayStart = startGuard(deps.clock);
  await deps.failpoints.at('intent.about_to_be_written');
  const { needsAdoption, fingerprint } = deps;
  const { ceilings = {} } = deps.before ?? {};
  const limits = { timeoutSeconds, quarantineSeconds, maxAmountMinor, ceilings, needsAdoption, fingerprint };
  const intent = await deps.store.writeIntent(attempt, limits);
  await deps.failpoints.at('intent.unacknowledged');
  if (intent.kind === 'refused') return refusedIntent(intent, attempt);
  const { id: cardId } = attempt.billingKey;
  const sent: LeasedAttempt = { ...attempt, sendCount: attempt.sendCount + 1, sentAt: instant(intent.sentAt), cardId };
  await deps.failpoints.at('intent.acknowledged');
  await deps.failpoints.at('guard.about_to_be_checked');
  // A process that was suspended here may have lost its lease to somebody who is already looking: it must not send.
  if (!mayStart()) return { ...notSent(STOOD_STILL), attempt: sent };
  await deps.failpoints.at('charge.about_to_be_written');
  const charging = deps.gateway.charge(requestFor(attempt), timeoutSeconds * 1_000, mayStart);
  await deps.failpoints.at('charge.in_flight');
  const answer = await charging;
  await deps.failpoints.at('charge.answered');
  if (answer.kind === 'unauthorized') return { kind: 'unauthorized', attempt: sent, reason: answer.reason };
  const outcome = await read(deps, answer, attempt.merchantUid, asked(deps, sent, intent.sends, way.seen));
  return { kind: 'outcome', outcome, attempt: sent };
}

async function sendWithNewToken(deps: WorkerDeps, first: Unauthorized, way: Way): Promise<Conclusion> {
  await deps.failpoints.at('token.refused');
  const again = await deps.store.takeBackIntent(first.attempt, deps.leaseSeconds, first.reason);
  if (again === null) return { kind: 'superseded' };
  await deps.failpoints.at('intent.taken_back');
  const ready = await reachGateway(deps, again, true);
  if (ready.kind !== 'clear') return { ...ready, attempt: again };
  const second = await send(deps, again, way);
  if (second.kind !== 'unauthorized') return second;
  await refusedByGateway(deps, second.reason);
  return { ...notSent(second.reason), attempt: second.attempt };
}

async function read(deps: WorkerDeps, answer: Answered, merchantUid: string, wanted: Asked): Promise<ChargeOutcome> {
  if (answer.kind !== 'refused') {
    if ('record' in answer && answer.record !== undefined) await deps.store.observe([answer.record], 'answer');
    await deps.failpoints.at('answer.observed');
    return judgeAnswer(answer, wanted);
  }
  const lookUp = await deps.gateway.lookUp(merchantUid);
  if (lookUp.kind === 'found') await deps.store.observe(lookUp.records, 'look_up');
  return judgeRefusal(answer, lookUp, wanted);
}

/** Nothing was sent; why decides what becomes of the invoice. */
function refusedIntent(intent: Extract<Intent, { kind: 'refused' }>, attempt: LeasedAttempt): Conclusion {
  switch (intent.because) {
    case 'lost':
      return { kind: 'superseded' };
    case 'subscription_canceled':
      return { kind: 'withdrawn', to: 'void', reason: intent.because };
    case 'subscription_stopped': // paused or unpaid: what was due stays due, and a person decides
      return { kind: 'withdrawn', to: 'held', reason: intent.because };
    case 'over_max_amount':
    case 'over_ceiling':
      return { kind: 'withdrawn', to: 'held', reason: intent.because };
    case 'spaced':
      return { kind: 'deferred', until: instant(intent.until), reason: 'another missed period was charged today' };
    case 'capped':
      return { kind: 'deferred', until: instant(intent.until), reason: 'its card was declined as often as is allowed' };
    case 'blocked_today':
      return { kind: 'deferred', until: tomorrowOf(intent.until, attempt), reason: BLOCKED_TODAY };
    case 'quarantined':
      return { kind: 'deferred', until: instant(intent.until), reason: 'an earlier send was never answered' };
    case 'switched_off':
      return { ...notSent('sending is switched off'), attempt };
    case 'foreign_database':
      return { ...notSent('this database belongs to another installation: see `maedal adopt`'), attempt };
    case 'billing_key_held':
      return { ...notSent(`${intent.reason}: revoke that there, then run \`maedal reconcile\``), attempt };
    case 'captured':
      return { ...notSent('a payment of it was seen, and is being accounted for'), attempt };
    case 'not_adopted':
      return { ...notSent('this database was not adopted for live charges'), attempt };
    default:
      return assertNever(intent);
  }
}
