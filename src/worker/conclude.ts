import type { AttemptEvent, Transition } from '../billing/attempt.ts';
import { assertNever } from '../billing/errors.ts';
import type { MerchantUid } from '../billing/ids.ts';
import type { ChargeOutcome } from '../billing/outcome.ts';
import { transition } from '../billing/transition.ts';
import type { LeasedAttempt } from '../store/lease.ts';
import type { WorkerDeps } from './deps.ts';

/** How a unit of work ended, before it is written down. */
export type Conclusion =
  /** `attempt` as it stood when it ended: an intent may have moved it on since it was leased. */
  | { readonly kind: 'outcome'; readonly outcome: ChargeOutcome; readonly attempt?: LeasedAttempt }
  /** An earlier attempt of the invoice turned out to be paid. */
  | {
      readonly kind: 'settle-earlier';
      readonly merchantUid: MerchantUid;
      readonly outcome: Extract<ChargeOutcome, { kind: 'paid' }>;
    }
  | Extract<AttemptEvent, { kind: 'withdrawn' | 'deferred' }>
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
  const decision = await writeDown(deps, attempt, conclusion);
  if (decision === null) {
    deps.report({ kind: 'record.superseded', attemptId: attempt.id });
    return;
  }
  await deps.failpoints.at('record.done');
  deps.report({
    kind: 'charge.finished',
    invoiceId: attempt.invoiceId,
    attemptId: attempt.id,
    attemptNumber: attempt.number,
    merchantUid: attempt.merchantUid,
    subscription: attempt.subscription.externalId,
    outcome: outcomeName(conclusion),
    next: decision,
    reason: reasonOf(conclusion),
    tookMs: Math.round(deps.clock.monotonicMs() - startedMs),
  });
}

/** What was decided, or null when somebody else's record stands. */
async function writeDown(
  deps: WorkerDeps,
  attempt: LeasedAttempt,
  conclusion: Conclusion,
): Promise<Transition['decision'] | null> {
  switch (conclusion.kind) {
    case 'outcome':
    case 'withdrawn':
    case 'deferred': {
      const next = follow(deps, attempt, conclusion);
      return (await recorded(deps, attempt, next)) ? next.decision : null;
    }
    case 'settle-earlier':
      return settleEarlier(deps, attempt, conclusion);
    case 'superseded':
      return null;
    default:
      return assertNever(conclusion);
  }
}

/**
 * Only one attempt of an invoice may be alive, so in this order: the present one, never sent, is withdrawn, then the
 * earlier one is paid. A crash in between leaves a due invoice without an attempt, and the next one finds the same.
 */
async function settleEarlier(
  deps: WorkerDeps,
  attempt: LeasedAttempt,
  { merchantUid, outcome }: Extract<Conclusion, { kind: 'settle-earlier' }>,
): Promise<Transition['decision'] | null> {
  const { impUid } = outcome.record;
  if (!(await recorded(deps, attempt, follow(deps, attempt, { kind: 'overtaken', by: merchantUid })))) return null;
  await deps.failpoints.at('living.withdrawn');
  const next = follow(deps, attempt, { kind: 'captured', impUid, merchantUid });
  return (await recorded(deps, { ...attempt, merchantUid }, next)) ? next.decision : null;
}

async function recorded({ store, failpoints }: WorkerDeps, attempt: LeasedAttempt, next: Transition): Promise<boolean> {
  await failpoints.at('record.about_to_be_written');
  const stands = await store.record(attempt, next);
  await failpoints.at('record.unacknowledged');
  return stands;
}

function follow(deps: WorkerDeps, attempt: LeasedAttempt, event: AttemptEvent): Transition {
  const { quarantineSeconds } = deps.channel(attempt.subscription.channel);
  const sends = attempt.sendCount - attempt.notSentCount;
  const timesNotSent = attempt.fence - 1; // nothing but that ends a lease of an attempt that is prepared again
  return transition({ ...attempt, sends, timesNotSent, quarantineSeconds }, event, attempt.policy, attempt.now);
}

function outcomeName(conclusion: Conclusion): ChargeOutcome['kind'] | 'held' | 'void' | 'deferred' {
  if (conclusion.kind === 'withdrawn') return conclusion.to;
  if (conclusion.kind === 'deferred') return 'deferred';
  return conclusion.kind === 'outcome' ? conclusion.outcome.kind : 'paid';
}

function reasonOf(conclusion: Conclusion): string | null {
  if (conclusion.kind === 'withdrawn' || conclusion.kind === 'deferred') return conclusion.reason;
  if (conclusion.kind !== 'outcome') return null;
  const { outcome } = conclusion;
  if ('reason' in outcome) return outcome.reason;
  return 'decline' in outcome ? outcome.decline.reason : null;
}
