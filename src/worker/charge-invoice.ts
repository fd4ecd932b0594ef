import type { ChargeAnswer } from '../billing/charge.ts';
import { assertNever } from '../billing/errors.ts';
import { type Asked, type ChargeOutcome, judgeAnswer, judgeRefusal } from '../billing/outcome.ts';
import { instant } from '../store/instant.ts';
import { type Intent, takeBackIntent, writeIntent } from '../store/intent.ts';
import type { LeasedAttempt } from '../store/lease.ts';
import { observe } from '../store/observations.ts';
import { asked, requestFor } from './asked.ts';
import { checkBillingKey, lookBeforeSending, notSent, reachGateway } from './before-sending.ts';
import type { Conclusion } from './conclude.ts';
import type { WorkerDeps } from './deps.ts';

/**
 * Charges a leased attempt: look, intend, one POST, read the answer. No transaction is open around any of the calls.
 * Before-hooks will have their place ahead of the look; nothing of the merchant's runs after it.
 */
export async function chargeAttempt(deps: WorkerDeps, attempt: LeasedAttempt): Promise<Conclusion> {
  const reached = await reachGateway(deps);
  if (reached.kind !== 'clear') return reached;
  const checked = await checkBillingKey(deps, attempt);
  if (checked.kind !== 'clear') return checked;
  const looked = await lookBeforeSending(deps, attempt);
  if (looked.kind !== 'clear') return looked;
  const first = await send(deps, attempt, looked.seen);
  // A 401 is answered before any payment company is called: one new token, one new intent, under the same id.
  return first.kind === 'unauthorized' ? sendWithNewToken(deps, first, looked.seen) : first;
}

type Answered = Exclude<ChargeAnswer, { kind: 'unauthorized' }>;

/** The gateway knew no token of ours; `attempt` is as the intent left it. */
type Unauthorized = { readonly kind: 'unauthorized'; readonly attempt: LeasedAttempt; readonly reason: string };

async function send(
  deps: WorkerDeps,
  attempt: LeasedAttempt,
  seen: readonly string[],
): Promise<Conclusion | Unauthorized> {
  const ready = await reachGateway(deps);
  if (ready.kind !== 'clear') return { ...ready, attempt };
  const { timeoutSeconds } = deps.channel(attempt.subscription.channel);
  const maxAmountMinor = deps.maxAmountMinor(attempt.amount.currency);
  const elapsedMs = stopwatch(deps);
  const intent = await writeIntent(deps.db, attempt, {
    timeoutSeconds,
    maxAmountMinor,
    needsAdoption: deps.needsAdoption,
  });
  if (intent.kind === 'refused') return refusedIntent(intent, attempt);
  const sent: LeasedAttempt = { ...attempt, sendCount: attempt.sendCount + 1, sentAt: instant(intent.sentAt) };
  // A process that was suspended here may have lost its lease to somebody who is already looking: it must not send.
  if (elapsedMs() > GUARD_MS) return { ...notSent('suspended between intent and call'), attempt: sent };
  const answer = await deps.gateway.charge(requestFor(attempt), timeoutSeconds * 1_000);
  if (answer.kind === 'unauthorized') return { kind: 'unauthorized', attempt: sent, reason: answer.reason };
  const outcome = await read(deps, answer, attempt.merchantUid, asked(deps, sent, intent.sends, seen));
  return { kind: 'outcome', outcome, attempt: sent };
}

async function sendWithNewToken(deps: WorkerDeps, first: Unauthorized, seen: readonly string[]): Promise<Conclusion> {
  const again = await takeBackIntent(deps.db, first.attempt, deps.leaseSeconds, first.reason);
  if (again === null) return { kind: 'superseded' };
  const ready = await reachGateway(deps, true);
  if (ready.kind !== 'clear') return { ...ready, attempt: again };
  const second = await send(deps, again, seen);
  if (second.kind !== 'unauthorized') return second;
  deps.report({ kind: 'gateway.refused', reason: second.reason });
  return { ...notSent(second.reason), attempt: second.attempt };
}

async function read(deps: WorkerDeps, answer: Answered, merchantUid: string, wanted: Asked): Promise<ChargeOutcome> {
  if (answer.kind !== 'refused') {
    if ('record' in answer && answer.record !== undefined) await observe(deps.db, [answer.record], 'answer');
    return judgeAnswer(answer, wanted);
  }
  const lookUp = await deps.gateway.lookUp(merchantUid);
  if (lookUp.kind === 'found') await observe(deps.db, lookUp.records, 'look_up');
  return judgeRefusal(answer, lookUp, wanted);
}

/** Nothing was sent; why decides what becomes of the invoice. */
function refusedIntent(intent: Extract<Intent, { kind: 'refused' }>, attempt: LeasedAttempt): Conclusion {
  switch (intent.because) {
    case 'lost':
      return { kind: 'superseded' };
    case 'subscription_canceled':
      return { kind: 'withdraw', to: 'void', reason: intent.because };
    case 'subscription_stopped': // paused or unpaid: what was due stays due, and a person decides
      return { kind: 'withdraw', to: 'held', reason: intent.because };
    case 'over_max_amount':
      return { kind: 'withdraw', to: 'held', reason: 'over_max_amount' };
    case 'switched_off':
      return { ...notSent('sending is switched off'), attempt };
    case 'not_adopted':
      return { ...notSent('this database was not adopted for live charges'), attempt };
    default:
      return assertNever(intent.because);
  }
}

/** Milliseconds since now, by whichever of the host's clocks says more: one stops while the machine sleeps. */
function stopwatch({ clock }: WorkerDeps): () => number {
  const [wall, monotonic] = [clock.nowMs(), clock.monotonicMs()];
  return () => Math.max(clock.nowMs() - wall, clock.monotonicMs() - monotonic);
}

/** Between asking for the intent and the call it allows. */
const GUARD_MS = 5_000;
