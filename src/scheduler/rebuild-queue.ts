import type { DateTime } from 'luxon';
import type { ChargeQueue } from '../queue/charge-queue.ts';
import type { Ring } from '../store/due.ts';
import { BATCH } from './deps.ts';
import { MAX_WAITING } from './room.ts';

/** What rebuilding asks of the database. */
export type RebuildDeps = {
  readonly databaseNow: () => Promise<DateTime>;
  /** Rings again for what was rung before that instant and not taken. */
  readonly ringAgain: (limit: number, before: DateTime) => Promise<Ring[]>;
};

/** What a rebuilt queue held, and what it holds now. */
export type Rebuilt = { readonly removed: number; readonly rung: number };

/**
 * Empties the queue and rings at once for everything that was rung and not taken, up to what the queue has room for; the
 * sweep goes on with the rest. Harmless at any time: a job that was in hand goes on, and a ring too many finds nothing.
 */
export async function rebuildQueue(
  { databaseNow, ringAgain }: RebuildDeps,
  queue: Pick<ChargeQueue, 'empty' | 'ring' | 'waiting'>,
): Promise<Rebuilt> {
  const before = await databaseNow();
  const removed = await queue.waiting();
  await queue.empty();
  let rung = 0;
  while (rung < MAX_WAITING) {
    const rings = await ringAgain(BATCH, before);
    await queue.ring(rings);
    rung += rings.length;
    if (rings.length < BATCH) break;
  }
  return { removed, rung };
}
