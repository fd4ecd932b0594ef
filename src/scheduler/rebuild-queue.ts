import type { ChargeQueue } from '../queue/charge-queue.ts';
import { BATCH, type SchedulerDeps } from './deps.ts';
import { MAX_WAITING } from './room.ts';

/** What a rebuilt queue held, and what it holds now. */
export type Rebuilt = { readonly removed: number; readonly rung: number };

/**
 * Empties the queue and rings at once for everything that was rung and not taken, up to what the queue has room for; the
 * sweep goes on with the rest. Harmless at any time: a job that was in hand goes on, and a ring too many finds nothing.
 */
export async function rebuildQueue(
  { store, reRingSeconds }: Pick<SchedulerDeps, 'store' | 'reRingSeconds'>,
  queue: Pick<ChargeQueue, 'empty' | 'ring' | 'waiting'>,
): Promise<Rebuilt> {
  const before = await store.databaseNow();
  const removed = await queue.waiting();
  await queue.empty();
  let rung = 0;
  while (rung < MAX_WAITING) {
    const rings = await store.ringAgain(BATCH, reRingSeconds, before);
    await queue.ring(rings);
    rung += rings.length;
    if (rings.length < BATCH) break;
  }
  return { removed, rung };
}
