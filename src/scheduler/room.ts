import type { Clock } from '../clock.ts';
import type { Report } from '../events.ts';

/** Jobs that wait in the queue at most: more than all workers take within the time after which they are rung again. */
export const MAX_WAITING = 20_000;

/**
 * How many rings the queue has room for. While workers are away nothing is added to a full queue, however long; what is
 * due stays due in the database. As a queue may lie, one batch goes all the same every quarter of an hour.
 */
export function roomInQueue(deps: {
  readonly waiting: () => Promise<number>;
  readonly clock: Clock;
  readonly report: Report;
}): () => Promise<number> {
  let hadRoomAtMs = deps.clock.monotonicMs();
  let told = false;
  return async () => {
    const waiting = await deps.waiting();
    const nowMs = deps.clock.monotonicMs();
    const isFull = waiting >= MAX_WAITING;
    if (isFull && !told) deps.report({ kind: 'queue.full', waiting });
    told = isFull;
    if (isFull && nowMs - hadRoomAtMs < PATIENCE_MS) return 0;
    hadRoomAtMs = nowMs;
    return isFull ? ALL_THE_SAME : MAX_WAITING - waiting;
  };
}

const PATIENCE_MS = 15 * 60_000;
const ALL_THE_SAME = 500;
