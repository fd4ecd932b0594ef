import type { Clock } from '../clock.ts';
import type { Db } from '../store/db.ts';
import { type Fence, type Identity, readFence } from '../store/fence.ts';

/** Asks for the fence, at most once a second: it is adopted by another process, while this one runs. */
export function watchFence(db: Db, identity: Identity, clock: Clock): () => Promise<Fence> {
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let answer: Promise<Fence> | null = null;
  return () => {
    if (answer === null || clock.monotonicMs() - askedAtMs >= REMEMBERED_MS) {
      askedAtMs = clock.monotonicMs();
      answer = readFence(db, identity);
      answer.catch(() => {
        answer = null;
      });
    }
    return answer;
  };
}

const REMEMBERED_MS = 1_000;
