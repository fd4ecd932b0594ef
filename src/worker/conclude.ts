import { type Decision, decide } from '../billing/dunning.ts';
import { assertNever } from '../billing/errors.ts';
import type { ChargeOutcome } from '../billing/outcome.ts';
import type { LeasedAttempt } from '../store/lease.ts';
import { record, settleEarlier, withdraw } from '../store/record.ts';
import type { WorkerDeps } from './deps.ts';

/** How a unit of work ended, before it is written down. */
export type Conclusion =
  /** `attempt` as it stood when it ended: an intent may have moved it on since it was leased. */
  | { readonly kind: 'outcome'; readonly outcome: ChargeOutcome; readonly attempt?: LeasedAttempt }
  /** An earlier attempt of the invoice turned out to be paid. */
  | {
      readonly kind: 'settle-earlier';
      readonly merchantUid: string;
      readonly outcome: Extract<ChargeOutcome, { kind: 'paid' }>;
    }
  | { readonly kind: 'withdraw'; readonly to: 'held' | 'void'; readonly reason: string }
  /** The lease was lost: whoever has it now goes on. */
  | { readonly kind: 'superseded' };

/** Decides what follows, writes it down and tells of it. */
export async function concludeAndReport(
  deps: WorkerDeps,
  leased: LeasedAttempt,
  conclusion: Conclusion,
  startedMs: number,
): Promise<void> {
  const attempt = conclusion.kind === 'outcome' ? (conclusion.attempt ?? leased) : leased;
  const decision = decisionFor(attempt, conclusion);
  const recorded = decision !== null && (await writeDown(deps, attempt, conclusion, decision));
  if (decision === null || !recorded) {
    deps.report({ kind: 'record.superseded', attemptId: attempt.id });
    return;
  }
  deps.report({
    kind: 'charge.finished',
    invoiceId: attempt.invoiceId,
    attemptId: attempt.id,
    attemptNumber: attempt.number,
    merchantUid: attempt.merchantUid,
    subscription: attempt.subscription.externalId,
    outcome: outcomeName(conclusion),
    next: decision.kind,
    reason: reasonOf(conclusion),
    tookMs: Math.round(deps.clock.monotonicMs() - startedMs),
  });
}

function decisionFor(attempt: LeasedAttempt, conclusion: Conclusion): Decision | null {
  switch (conclusion.kind) {
    case 'outcome': {
      const { dueAt, sentAt, failures, fence, now, policy } = attempt;
      const timesNotSent = fence - 1; // nothing but that can have ended an earlier lease of an attempt that is still prepared
      return decide({ dueAt, sentAt, failures, timesNotSent }, conclusion.outcome, policy, now);
    }
    case 'settle-earlier':
      return { kind: 'settle' };
    case 'withdraw':
      return { kind: 'review', reason: conclusion.reason };
    case 'superseded':
      return null;
    default:
      return assertNever(conclusion);
  }
}

async function writeDown(
  deps: WorkerDeps,
  attempt: LeasedAttempt,
  conclusion: Conclusion,
  decision: Decision,
): Promise<boolean> {
  switch (conclusion.kind) {
    case 'outcome':
      return record(deps.db, attempt, conclusion.outcome, decision);
    case 'settle-earlier':
      return settleEarlier(deps.db, attempt, conclusion.merchantUid, conclusion.outcome.record.impUid);
    case 'withdraw':
      return withdraw(deps.db, attempt, conclusion.to, conclusion.reason);
    case 'superseded':
      return false;
    default:
      return assertNever(conclusion);
  }
}

function outcomeName(conclusion: Conclusion): ChargeOutcome['kind'] | 'held' | 'void' {
  if (conclusion.kind === 'withdraw') return conclusion.to;
  return conclusion.kind === 'outcome' ? conclusion.outcome.kind : 'paid';
}

function reasonOf(conclusion: Conclusion): string | null {
  if (conclusion.kind === 'withdraw') return conclusion.reason;
  if (conclusion.kind !== 'outcome') return null;
  const { outcome } = conclusion;
  if ('reason' in outcome) return outcome.reason;
  return 'decline' in outcome ? outcome.decline.reason : null;
}
