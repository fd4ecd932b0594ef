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
 * the next one is asked. What was sent once is asked no more, and what could not be asked is asked again in seconds.
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
  const timeoutMs = Math.min(hook.timeoutMs, leftMs);
  const answer: HookAnswer =
    timeoutMs > 0
      ? await before.ask(hook, payload.idempotencyKey, JSON.stringify(payload), timeoutMs)
      : { kind: 'failed', reason: 'the hooks before it left it no time' };
  await deps.failpoints.at('hook.answered');
  const told = { kind: 'hook.failed', hook: hook.name, invoiceId: attempt.invoiceId } as const;
  if (answer.kind === 'undone') {
    deps.report({ ...told, reason: answer.reason, follows: 'again' });
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
