import { asError, type Report } from '../events.ts';
import { databaseIsAway } from '../store/away.ts';

/**
 * Works on one row of a pass: what fails for it is told, and never stops the others. Throws where the database is away,
 * for then it is not the row's fault, and the pass is made again.
 */
export async function apart(
  { report }: { readonly report: Report },
  subscription: string,
  work: () => Promise<void>,
): Promise<'done' | 'failed'> {
  try {
    await work();
    return 'done';
  } catch (error) {
    if (databaseIsAway(error)) throw error;
    report({ kind: 'subscription.broken', subscription, error: asError(error) });
    return 'failed';
  }
}
