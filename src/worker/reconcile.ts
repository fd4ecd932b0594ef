import { mayBeProvedAbsent } from '../billing/absence.ts';
import { type ChargeOutcome, judgeLookUp } from '../billing/outcome.ts';
import type { LeasedAttempt } from '../store/lease.ts';
import { asked } from './asked.ts';
import { reachGateway } from './before-sending.ts';
import { deadline, lookForCanary } from './canary.ts';
import type { Conclusion } from './conclude.ts';
import type { WorkerDeps } from './deps.ts';

/**
 * Asks the gateway what became of an attempt whose answer never came. It never charges: while the fate is unknown the
 * attempt waits for the next look-up, and only a proof of absence lets the same id be sent again.
 */
export async function reconcile(deps: WorkerDeps, attempt: LeasedAttempt): Promise<Conclusion> {
  const isLate = deadline(deps);
  const answer = await deps.gateway.lookUp(attempt.merchantUid);
  await deps.failpoints.at('look_up.answered');
  if (answer.kind === 'found') await deps.store.observe(answer.records, 'look_up');
  await deps.failpoints.at('look_up.observed');
  const sends = attempt.sendCount - attempt.notSentCount;
  const outcome = judgeLookUp(answer, asked(deps, attempt, sends));
  return {
    kind: 'outcome',
    outcome: outcome.kind === 'not-found' ? ((await provedAbsent(deps, attempt, isLate)) ?? outcome) : outcome,
  };
}

/**
 * "Not found" is a fact of absence only when H has passed since the last byte that we can have sent, the gateway has said
 * so three times, and in the same minute it finds a payment that is known to be paid: else it may be another account's
 * list, or a look-up that lags (protocol §2.6). Null while the first two are missing.
 */
async function provedAbsent(
  deps: WorkerDeps,
  attempt: LeasedAttempt,
  isLate: () => boolean,
): Promise<ChargeOutcome | null> {
  if (attempt.uids.some(({ merchantUid, wasSeen }) => wasSeen && merchantUid === attempt.merchantUid)) {
    return { kind: 'unknown', reason: 'the look-up does not find what the gateway has shown before' };
  }
  const { sentAt, now, notFoundCount } = attempt;
  const { timeoutSeconds, horizonSeconds } = deps.channel(attempt.subscription.channel);
  const notFound = notFoundCount + 1;
  if (sentAt === null || !mayBeProvedAbsent({ sentAt, now, notFound, timeoutSeconds, horizonSeconds })) return null;
  // A database clock that ran ahead says that the horizon is over when it is not.
  const reached = await reachGateway(deps, attempt);
  if (reached.kind !== 'clear') return { kind: 'unknown', reason: `nothing is proved now: ${reached.outcome.reason}` };
  const canary = await lookForCanary(deps, attempt.merchantUid, isLate);
  if (canary.kind === 'seen') return { kind: 'absent', beside: canary.impUid };
  return { kind: 'unknown', reason: `the gateway knows no such payment, but ${canary.why}` };
}
