import { nextLookUpAt } from '../billing/dunning.ts';
import { sightOf } from '../gateway/canary.ts';
import type { Watched } from '../store/watch.ts';
import type { SchedulerDeps } from './deps.ts';

/**
 * Looks up once more what ended and may still have been captured late (protocol §2.4): every id that was ever sent, not
 * only the one that settled. What is found is written down; `accountCaptures` makes of it a payment, a refund or a
 * review. Past `signal` no more are begun. Returns how many were looked up. What has no clear answer is looked up again some minutes later.
 */
export async function lateWatch(deps: SchedulerDeps, signal?: AbortSignal): Promise<number> {
  for (let looked = 0; ; ) {
    if (signal?.aborted === true) return looked;
    const watched = await deps.store.claimWatched(AT_ONCE);
    const answers = await Promise.all(watched.map((invoice) => look(deps, invoice)));
    looked += watched.length;
    // Where nothing is answered, the gateway is away: the rest waits for the next pass.
    if (watched.length < AT_ONCE || answers.every((answer) => answer === 'unclear')) return looked;
  }
}

type Seen = 'clear' | 'pending' | 'unclear';

async function look(deps: SchedulerDeps, watched: Watched): Promise<Seen> {
  const seen: Seen[] = [];
  for (const sent of watched.sent) seen.push(await lookOne(deps, sent));
  await deps.failpoints.at('watch.looked');
  if (seen.includes('unclear')) return 'unclear';
  if (!seen.includes('pending')) {
    await deps.store.watchOn(watched, null);
    return 'clear';
  }
  await deps.store.watchOn(watched, nextLookUpAt(watched.lastSentAt ?? watched.now, watched.now));
  return 'pending';
}

async function lookOne(deps: SchedulerDeps, { merchantUid, seen, gone }: Watched['sent'][number]): Promise<Seen> {
  const answer = await deps.gateway.lookUp(merchantUid);
  if (answer.kind === 'unclear') return 'unclear';
  if (answer.kind === 'absent') {
    // A payment that was there and is not: this is another account's answer, or none. And so may be any "not found".
    if (seen || gone) return 'pending';
    const sight = await sightOf(deps.gateway, await deps.store.canaries(merchantUid));
    return sight.kind === 'seen' ? 'clear' : 'pending';
  }
  await deps.store.observe(answer.records, 'look_up');
  // What went may come back: it is looked for daily, for a month.
  if (gone && answer.records.every(({ status }) => status === 'failed')) return 'pending';
  return answer.records.every(({ status }) => FINAL.has(status)) ? 'clear' : 'pending';
}

const FINAL: ReadonlySet<string> = new Set(['paid', 'failed', 'cancelled']);
const AT_ONCE = 20;
