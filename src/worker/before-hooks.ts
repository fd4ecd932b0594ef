import { DateTime } from 'luxon';
import { decideBefore, type HookDecision, type HookSaid } from '../billing/before-charge.ts';
import type { HookAnswer } from '../hooks/hook-call.ts';
import type { BeforeFile, KeptAnswer } from '../store/hook-answers.ts';
import type { LeasedAttempt } from '../store/lease.ts';
import type { BeforeDeps, BeforeHook } from './before-deps.ts';
import type { Conclusion } from './conclude.ts';
import type { WorkerDeps } from './deps.ts';
import { ALL_HOOKS_MS, ceilingOf, changed, contextOf, saidBy, standingOf } from './hook-question.ts';

type Asked = { readonly kind: 'go'; readonly attempt: LeasedAttempt } | Conclusion;

/**
 * Asks the before-hooks in their order, each once for an attempt: what one says is kept before it is obeyed, and before
 * the next one is asked. What was sent once is asked no more, and what could not be asked is asked again at once, then in seconds.
 */
export async function askBefore(deps: WorkerDeps, leased: LeasedAttempt): Promise<Asked> {
  const { before } = deps;
  if (before === undefined || before.hooks.length === 0 || leased.sendCount > 0) return { kind: 'go', attempt: leased };
  const file = await before.read(leased.id, leased.now.toISO() ?? '');
  const limitMs = Math.min(ALL_HOOKS_MS, deps.leaseSeconds * 500);
  const beganMs = deps.clock.monotonicMs();
  let attempt = leased;
  for (const hook of before.hooks) {
    const kept = file.answers.get(hook.name);
    const stands = kept === undefined ? null : standing(kept, attempt);
    if (stands?.kind === 'go') continue;
    if (stands !== null) return stands;
    const leftMs = limitMs - (deps.clock.monotonicMs() - beganMs);
    const asked = await askOne({ deps, before, file }, attempt, hook, { kept, leftMs });
    if (asked.kind !== 'go') return asked;
    attempt = asked.attempt;
  }
  return { kind: 'go', attempt };
}

/** What an answer that was kept comes to: its changes are in the invoice already. Null where it is over. */
function standing(kept: KeptAnswer, attempt: LeasedAttempt): Asked | null {
  const reason = kept.reason ?? '';
  if (kept.kind === 'skip') return { kind: 'withdrawn', to: 'waived', reason };
  if (kept.kind === 'hold') return { kind: 'withdrawn', to: 'held', reason };
  if (kept.kind !== 'defer') return { kind: 'go', attempt };
  const until = DateTime.fromISO(kept.until ?? '', { zone: 'utc' });
  return until > attempt.now ? { kind: 'deferred', until, reason } : null;
}

type Asking = { readonly deps: WorkerDeps; readonly before: BeforeDeps; readonly file: BeforeFile };

async function askOne(
  { deps, before, file }: Asking,
  attempt: LeasedAttempt,
  hook: BeforeHook,
  { kept, leftMs }: { readonly kept: KeptAnswer | undefined; readonly leftMs: number },
): Promise<Asked> {
  const ceilingMinor = ceilingOf(before, file, attempt);
  const payload = contextOf(before, file, attempt, { hook: hook.name, ceilingMinor, dryRun: false });
  const told = { kind: 'hook.failed', hook: hook.name, invoiceId: attempt.invoiceId } as const;
  const again = (reason: string) => deps.report({ ...told, reason, follows: 'again' });
  const call = (ms: number) =>
    before.ask(hook, payload.idempotencyKey, JSON.stringify(payload), Math.min(hook.timeoutMs, ms));
  const answer = await answerOf(deps, call, { leftMs, again });
  await deps.failpoints.at('hook.answered');
  if (answer.kind === 'undone') {
    again(answer.reason);
    const reason = `hook ${hook.name} is asked again: ${answer.reason}`;
    return { kind: 'deferred', until: attempt.now.plus({ seconds: AGAIN_SECONDS }), reason };
  }
  const said = saidBy(hook, answer, kept?.failures ?? 0);
  if (said.kind === 'failed') deps.report({ ...told, reason: said.reason, follows: said.onError });
  const { deferredSeconds } = file;
  const decision = decideBefore(said, { ...standingOf(file, attempt), hook: hook.name, ceilingMinor, deferredSeconds });
  const stands = await before.keep(
    attempt,
    { hook: hook.name, answer: keptOf(said, decision), decision },
    deps.leaseSeconds,
  );
  await deps.failpoints.at('hook.kept');
  if (!stands) return { kind: 'superseded' };
  return decision.kind === 'go' ? { kind: 'go', attempt: changed(attempt, decision) } : decision;
}

/** What could not be asked is asked once more at once, unless that took long: a run of `maedal bill` has no later. */
async function answerOf(
  { clock }: WorkerDeps,
  call: (limitMs: number) => Promise<HookAnswer>,
  { leftMs, again }: { readonly leftMs: number; readonly again: (reason: string) => void },
): Promise<HookAnswer> {
  if (leftMs <= 0) return { kind: 'failed', reason: 'the hooks before it left it no time' };
  const beganMs = clock.monotonicMs();
  const first = await call(leftMs);
  const tookMs = clock.monotonicMs() - beganMs;
  if (first.kind !== 'undone' || tookMs >= Math.min(leftMs, AT_ONCE_MS)) return first;
  again(first.reason);
  return call(leftMs - tookMs);
}

/** What is kept of it, by what it came to: an amount above the ceiling is a hold, and a wait may be shorter than asked for. */
function keptOf(said: HookSaid, decision: HookDecision): KeptAnswer {
  const failed = said.kind === 'failed' ? { error: said.reason, failures: said.failures + 1 } : {};
  if (decision.kind === 'withdrawn') {
    return { kind: decision.to === 'held' ? 'hold' : 'skip', reason: decision.reason, ...failed };
  }
  if (decision.kind === 'deferred') {
    return { kind: 'defer', until: decision.until.toISO() ?? '', reason: decision.reason, ...failed };
  }
  return said.kind === 'failed' ? { kind: 'proceed', ...failed } : { ...said };
}

const AGAIN_SECONDS = 5;
const AT_ONCE_MS = 15_000;
