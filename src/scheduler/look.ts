import { asError } from '../events.ts';
import { databaseIsAway } from '../store/away.ts';
import type { SchedulerDeps } from './deps.ts';

/**
 * What a pass has to do. Where the database refuses to say, as it may for a single bad row, everything counts as due, and
 * that is told: then each part is made, and fails, by itself.
 */
export async function look<Due>(
  { report }: SchedulerDeps,
  ask: () => Promise<Due>,
  everything: () => Promise<Due>,
): Promise<Due> {
  try {
    return await ask();
  } catch (error) {
    if (databaseIsAway(error)) throw error;
    report({ kind: 'work.failed', where: 'look', error: asError(error) });
    return everything();
  }
}
