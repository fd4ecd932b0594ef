import type { Progress } from '../store/progress.ts';

/** When something is next charged, retries included, for people. */
export function nextDue({ nextDueAt, now }: Pick<Progress, 'nextDueAt' | 'now'>): string {
  if (nextDueAt === null) return 'never';
  return nextDueAt <= now ? 'now' : (nextDueAt.startOf('second').toISO({ suppressMilliseconds: true }) ?? 'never');
}
