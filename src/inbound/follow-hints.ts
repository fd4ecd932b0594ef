import type { LookUpAnswer } from '../billing/charge.ts';
import type { Clock } from '../clock.ts';
import type { Report } from '../events.ts';
import type { Failpoints } from '../failpoints.ts';
import type { HintStore, TakenHint } from '../store/hints.ts';

export type InboundDeps = {
  readonly store: Pick<HintStore, 'takeHints' | 'endHint' | 'forgetHints' | 'observe'>;
  /** Every payment that the gateway has under a `merchant_uid`. */
  readonly lookUp: (merchantUid: string) => Promise<LookUpAnswer>;
  readonly clock: Clock;
  readonly report: Report;
  readonly failpoints: Failpoints;
};

/**
 * Looks up the payments that were hinted at and writes down what the gateway says of them; accounting for captures makes
 * of it what it makes of any other look-up. "Not found" says nothing: whatever waits for an answer has look-ups of its
 * own. Without a clear answer it is asked again, ever more rarely, and in the end left to those and to the audit. Past
 * `signal` none is begun. Returns how many were looked up; throws when the database is away.
 */
export async function followHints(deps: InboundDeps, signal?: AbortSignal): Promise<number> {
  for (let looked = 0; ; ) {
    if (signal?.aborted === true) return looked;
    const taken = await deps.store.takeHints(AT_ONCE);
    if (taken.length > 0) await deps.failpoints.at('hints.taken');
    const answers = await Promise.all(taken.map((hint) => follow(deps, hint)));
    looked += taken.length;
    if (taken.length === 0) await deps.store.forgetHints(FORGOTTEN_AT_ONCE);
    // Where nothing is answered, the gateway is away: the rest waits for the next pass.
    if (taken.length < AT_ONCE || answers.every((answer) => answer === 'unclear')) return looked;
  }
}

async function follow(deps: InboundDeps, hint: TakenHint): Promise<LookUpAnswer['kind']> {
  const { merchantUid, tries } = hint;
  const answer = await deps.lookUp(merchantUid);
  if (answer.kind === 'found') await deps.store.observe(answer.records);
  await deps.failpoints.at('hint.observed');
  if (answer.kind !== 'unclear' || tries >= TRIES_AT_MOST) await deps.store.endHint(hint);
  deps.report({ kind: 'hint.followed', merchantUid, answer: answer.kind });
  return answer.kind;
}

/** Look-ups at once; of one payment there is one in ten seconds, whoever asks for it. */
const AT_ONCE = 20;
const FORGOTTEN_AT_ONCE = 500;
/** About three hours. */
const TRIES_AT_MOST = 24;
