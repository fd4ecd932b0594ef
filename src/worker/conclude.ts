import type { AttemptEvent, Transition } from '../billing/attempt.ts';
import { collectingOf } from '../billing/next-try.ts';
import type { ChargeOutcome } from '../billing/outcome.ts';
import { transition } from '../billing/transition.ts';
import type { BillingEvent } from '../events.ts';
import type { PresentCards } from '../store/cards.ts';
import type { LeasedAttempt } from '../store/lease.ts';
import type { WorkerDeps } from './deps.ts';
import { refusedByGateway, slowedByGateway } from './refused.ts';

/** How a unit of work ended, before it is written down. */
export type Conclusion =
  /** `attempt` as it stood when it ended: an intent may have moved it on since it was leased. */
  | { readonly kind: 'outcome'; readonly outcome: ChargeOutcome; readonly attempt?: LeasedAttempt }
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
  const done = conclusion.kind === 'superseded' ? null : await decideAndRecord(deps, leased, conclusion);
  if (conclusion.kind === 'superseded' || done === null) {
    deps.report({ kind: 'record.superseded', attemptId: leased.id });
    return;
  }
  const { attempt, next } = done;
  await deps.failpoints.at('record.done');
  if (conclusion.kind === 'outcome') await tellBrake(deps, attempt, conclusion.outcome);
  deps.report({
    kind: 'charge.finished',
    invoiceId: attempt.invoiceId,
    attemptId: attempt.id,
    attemptNumber: attempt.number,
    merchantUid: attempt.merchantUid,
    subscription: attempt.subscription.externalId,
    ...told(conclusion),
    next: next.decision,
    tookMs: Math.round(deps.clock.monotonicMs() - startedMs),
  });
}

type Concluded = Exclude<Conclusion, { kind: 'superseded' }>;
type Standing = LeasedAttempt & Pick<PresentCards, 'version'>;

/** Once more where a card was given after they were read; null where somebody else's answer stands. */
async function decideAndRecord(
  deps: WorkerDeps,
  leased: LeasedAttempt,
  conclusion: Concluded,
): Promise<{ readonly attempt: LeasedAttempt; readonly next: Transition } | null> {
  let attempt = await asItStands(deps, leased, conclusion);
  for (let tries = 1; ; tries += 1) {
    const next = follow(deps, attempt, conclusion);
    if (await recorded(deps, attempt, next)) return { attempt, next };
    const again = await asItStands(deps, leased, conclusion);
    if (again.version === attempt.version || tries === TRIES) return null; // past them it is looked up, and decided on then
    attempt = again;
  }
}

/** What was declined is decided on by the cards that are there now: a payer may have given one while the charge was on its way. */
async function asItStands(deps: WorkerDeps, leased: LeasedAttempt, conclusion: Concluded): Promise<Standing> {
  if (conclusion.kind !== 'outcome') return leased;
  const attempt = conclusion.attempt ?? leased;
  return 'decline' in conclusion.outcome ? { ...attempt, ...(await deps.store.presentCards(attempt.id)) } : attempt;
}

const TRIES = 5;

/**
 * Where the account is at fault and nobody's card, every further charge of its channel would be declined the same way; and
 * where the gateway has too many of them, the next would only be one more that must be looked up.
 */
async function tellBrake(
  deps: WorkerDeps,
  { id, subscription: { channel } }: LeasedAttempt,
  outcome: ChargeOutcome,
): Promise<void> {
  if ('decline' in outcome && outcome.decline.class === 'config') {
    await refusedByGateway(deps, outcome.decline.reason, channel);
  } else if (outcome.kind === 'unknown' && outcome.restSeconds !== undefined) {
    await slowedByGateway(deps, { channel, attemptId: id, seconds: outcome.restSeconds });
  } else if (outcome.kind === 'paid' || outcome.kind === 'declined') await deps.brake.lift(channel);
}

/** Whether the transition stands; if not, somebody else's record does. */
async function recorded({ store, failpoints }: WorkerDeps, attempt: Standing, next: Transition): Promise<boolean> {
  await failpoints.at('record.about_to_be_written');
  const stands = await store.record(attempt, next);
  await failpoints.at('record.unacknowledged');
  return stands;
}

function follow(deps: WorkerDeps, attempt: LeasedAttempt, event: AttemptEvent): Transition {
  const { quarantineSeconds, declinesAreFinal } = deps.channel(attempt.subscription.channel);
  const collecting = collectingOf(attempt, declinesAreFinal);
  const sends = attempt.sendCount - attempt.notSentCount;
  const timesNotSent = attempt.fence - 1; // an upper bound: leases that a hook, a spacing or a crash has ended count too
  return transition(
    { ...attempt, sends, timesNotSent, quarantineSeconds, collecting },
    event,
    attempt.policy,
    attempt.now,
  );
}

type Told = Pick<Extract<BillingEvent, { kind: 'charge.finished' }>, 'outcome' | 'reason'>;

function told(conclusion: Concluded): Told {
  if (conclusion.kind === 'withdrawn') return { outcome: conclusion.to, reason: conclusion.reason };
  if (conclusion.kind === 'deferred') return { outcome: 'deferred', reason: conclusion.reason };
  const { outcome } = conclusion;
  if ('reason' in outcome) return { outcome: outcome.kind, reason: outcome.reason };
  return { outcome: outcome.kind, reason: 'decline' in outcome ? outcome.decline.reason : null };
}
