import { seedOf } from '../billing/next-try.ts';
import { transition } from '../billing/transition.ts';
import { BATCH, type SchedulerDeps } from './deps.ts';

/**
 * Decides anew about invoices whose payer had no card left and whose wait for another one is over: what came meanwhile is
 * tried, else they end as their policy says. Returns how many were decided on.
 */
export async function decideOnAwaited(deps: SchedulerDeps): Promise<number> {
  const awaited = await deps.store.cardsAwaited(BATCH, deps.policyVersions);
  for (const { own, decline, cards, cardId, releasedAt, unansweredAt, channel, policy, now } of awaited) {
    const { quarantineSeconds, declinesAreFinal } = deps.channel(channel);
    const barredUntil = unansweredAt?.plus({ seconds: quarantineSeconds }) ?? null;
    const collecting = { cards, cardId, declinesAreFinal, seed: seedOf(own) };
    const standing = { ...own, quarantineSeconds, collecting };
    await deps.store.record(
      own,
      transition(standing, { kind: 'card_awaited', decline, barredUntil, releasedAt }, policy, now),
    );
  }
  return awaited.length;
}
