import { ALL_OF_A_TICK, type DueInTick } from '../store/due-work.ts';
import type { SchedulerDeps } from './deps.ts';
import { look } from './look.ts';
import { sweep } from './sweep.ts';

/**
 * One pass: has subscriptions stand by what they owe, ends those unpaid or paused whose end has come, has invoices follow
 * their subscriptions, and rings for what is due. A tick does the same around its drawing up; between the ticks of a
 * sparse schedule nothing else would.
 */
export async function settle(deps: SchedulerDeps): Promise<void> {
  await settleStanding(deps, await lookAtStanding(deps));
  await sweep(deps, { settles: true });
}

/** Whether a subscription stands otherwise than it should, and the database's clock. */
export function lookAtStanding(deps: SchedulerDeps): Promise<DueInTick> {
  const everything = async () => ({ now: await deps.store.databaseNow(), ...ALL_OF_A_TICK });
  return look(deps, deps.store.dueInTick, everything);
}

/** Returns whether it may have moved a subscription. */
export async function settleStanding({ store }: SchedulerDeps, due: DueInTick): Promise<boolean> {
  // Where these move a subscription, there may be something to do for what comes after them.
  const moved = due.arrears || due.endings;
  if (due.arrears) await store.clearArrears();
  if (moved) await store.endStopped();
  return moved;
}
