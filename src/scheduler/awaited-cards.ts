import { seedOf } from '../billing/next-try.ts';
import { transition } from '../billing/transition.ts';
import type { CardAwaited } from '../store/awaiting.ts';
import { apart } from './apart.ts';
import { BATCH, type SchedulerDeps } from './deps.ts';

/**
 * Decides anew about invoices whose payer had no card left and whose wait for another one is over: what came meanwhile is
 * tried, else they end as their policy says. One that cannot be decided on stops no other. Returns how many there were.
 */
export async function decideOnAwaited(deps: SchedulerDeps): Promise<number> {
  const awaited = await deps.store.cardsAwaited(BATCH, deps.policyVersions);
  for (const one of awaited) await apart(deps, one.own.subscription.externalId, () => decideOn(deps, one));
  return awaited.length;
}

async function decideOn(deps: SchedulerDeps, awaited: CardAwaited): Promise<void> {
  const { own, decline, cards, cardId, releasedAt, unansweredAt, channel, policy, now } = awaited;
  const { quarantineSeconds, declinesAreFinal } = deps.channel(channel);
  const barredUntil = unansweredAt?.plus({ seconds: quarantineSeconds }) ?? null;
  const collecting = { cards, cardId, declinesAreFinal, seed: seedOf(own) };
  const standing = { ...own, quarantineSeconds, collecting };
  const event = { kind: 'card_awaited', decline, barredUntil, releasedAt } as const;
  await deps.store.record(own, transition(standing, event, policy, now));
}
