import { DateTime } from 'luxon';
import { decideBefore, type HookDecision, type HookSaid } from '../billing/before-charge.ts';
import type { BeforeCharge } from '../billing/hook.ts';
import { money } from '../billing/money.ts';
import type { Clock } from '../clock.ts';
import type { HookAnswer } from '../hooks/hook-call.ts';
import type { BeforeFile } from '../store/hook-answers.ts';
import type { BeforeDeps, BeforeHook } from './before-deps.ts';
import { ALL_HOOKS_MS, type AskedAttempt, ceilingOf, changed, contextOf, saidBy, standingOf } from './hook-question.ts';

/** What a before-hook said when nothing was at stake, and what it would have come to. */
export type Rehearsed = {
  readonly hook: string;
  readonly tookMs: number;
  readonly said: HookSaid;
  readonly decision: HookDecision;
};

type RehearsalDeps = Pick<BeforeDeps, 'hooks' | 'ask' | 'ceilings' | 'channel'> & { readonly clock: Clock };

/**
 * Asks the before-hooks about an attempt as a worker would, until one lets it go no further, and keeps nothing of it; each
 * is told that it is a rehearsal, `dryRun`. Answers that were kept earlier are not looked at.
 */
export async function rehearse(deps: RehearsalDeps, file: BeforeFile): Promise<readonly Rehearsed[]> {
  const rehearsed: Rehearsed[] = [];
  const beganMs = deps.clock.monotonicMs();
  let attempt = attemptIn(file);
  for (const hook of deps.hooks) {
    const sinceMs = deps.clock.monotonicMs();
    const ceilingMinor = ceilingOf(deps, file, attempt);
    const context = contextOf(deps, file, attempt, { hook: hook.name, ceilingMinor, dryRun: true });
    const answer = await ask(deps, hook, context, ALL_HOOKS_MS - (sinceMs - beganMs));
    const said = saidBy(hook, answer, 0);
    const { deferredSeconds } = file;
    const decision = decideBefore(said, {
      ...standingOf(file, attempt),
      hook: hook.name,
      ceilingMinor,
      deferredSeconds,
    });
    rehearsed.push({ hook: hook.name, tookMs: Math.round(deps.clock.monotonicMs() - sinceMs), said, decision });
    if (decision.kind !== 'go') break;
    attempt = changed(attempt, decision);
  }
  return rehearsed;
}

/** What could not be asked is asked once more, for then it is called alone and tells whose fault it was. */
async function ask(
  deps: RehearsalDeps,
  hook: BeforeHook,
  context: BeforeCharge,
  leftMs: number,
): Promise<Exclude<HookAnswer, { kind: 'undone' }>> {
  if (leftMs <= 0) return { kind: 'failed', reason: 'the hooks before it left it no time' };
  const timeoutMs = Math.min(hook.timeoutMs, leftMs);
  const once = () => deps.ask(hook, context.idempotencyKey, JSON.stringify(context), timeoutMs);
  const first = await once();
  const answer = first.kind === 'undone' ? await once() : first;
  return answer.kind === 'undone' ? { kind: 'failed', reason: answer.reason } : answer;
}

function attemptIn({ about }: BeforeFile): AskedAttempt {
  const { amount, currency, taxFree, vat, name } = about.invoice;
  return {
    now: DateTime.fromISO(about.now, { zone: 'utc' }),
    amount: money(amount, currency),
    ...{ taxFreeMinor: taxFree, vatMinor: vat, name, customData: null },
  };
}
