import { FenceError } from '../billing/errors.ts';

/**
 * Judges an order on a fresh reading and carries it out; null from `attempt` says that the row had changed meanwhile, and
 * has it judged anew. Throws FenceError where that does not end: `what` changes faster than it is read, or nothing is
 * written because the database is another installation's.
 */
export async function onFreshReading<Result>(what: string, attempt: () => Promise<Result | null>): Promise<Result> {
  for (let turn = 0; turn < TURNS; turn += 1) {
    const result = await attempt();
    if (result !== null) return result;
  }
  throw new FenceError(
    `${what} changes under our hands, or the database is another installation’s`,
    'say it again; `maedal doctor` tells whose the database is',
  );
}

/** So often a charge or a look-up may come in between. */
const TURNS = 5;
