import { type Clock, pause } from '../clock.ts';
import type { Hint } from '../store/hints.ts';

/**
 * Takes hints in. `full`: too many wait to be written; `foreign`: the database is another installation's. Whoever sent it
 * may come again.
 */
export type Inbox = (hint: Hint) => Promise<'kept' | 'full' | 'foreign'>;

/**
 * Writes hints down in batches, one statement at a time and one in a fifth of a second, so that a flood of them takes one
 * connection to the database and little of the machine: it waits, and the charges do not. Rejects when the database is
 * away.
 */
export function openInbox(keepHints: (hints: readonly Hint[]) => Promise<boolean>, clock: Clock): Inbox {
  const waiting: Waiting[] = [];
  let isWriting = false;
  const write = async () => {
    isWriting = true;
    while (waiting.length > 0) {
      await pause(clock, APART_MS);
      const batch = waiting.splice(0, AT_ONCE);
      await keepHints(batch.map(({ hint }) => hint)).then(
        (isKept) => batch.forEach(({ ended }) => void ended(isKept ? 'kept' : 'foreign')),
        (error: unknown) => batch.forEach(({ failed }) => void failed(error)),
      );
    }
    isWriting = false;
  };
  return async (hint) => {
    if (waiting.length >= MOST_WAITING) return 'full';
    const done = new Promise<Ended>((ended, failed) => void waiting.push({ hint, ended, failed }));
    if (!isWriting) void write();
    return done;
  };
}

type Ended = 'kept' | 'foreign';
type Waiting = {
  readonly hint: Hint;
  readonly ended: (how: Ended) => void;
  readonly failed: (error: unknown) => void;
};

const AT_ONCE = 200;
/** Whoever sends webhooks waits far longer for an answer, and a charge brings one. */
const APART_MS = 200;
const MOST_WAITING = 2_000;
