import type { DateTime } from 'luxon';
import type { Db } from './db.ts';
import { instantOrNull } from './instant.ts';

/** How far the work has come. */
export type Progress = {
  /** Attempts that are due, queued or being charged now. */
  readonly underway: number;
  /** Attempts whose answer never came; look-ups go on. */
  readonly unknown: number;
  readonly paid: number;
  /** Declined, to be tried again. */
  readonly retrying: number;
  readonly uncollectible: number;
  readonly held: number;
  readonly review: number;
  readonly subscriptions: number;
  /** When the next period of any subscription begins. */
  readonly nextDueAt: DateTime | null;
};

/** Counts over the whole database, by its own clock. */
export async function readProgress(db: Db): Promise<Progress> {
  const [row] = await db.$queryRaw<(Omit<Progress, 'nextDueAt'> & { nextDueAt: Date | null })[]>`
    SELECT (SELECT count(*) FROM attempt WHERE state IN ('prepared', 'sent'))::integer AS underway,
           (SELECT count(*) FROM attempt WHERE state = 'unknown')::integer AS unknown,
           count(*) FILTER (WHERE state = 'paid')::integer AS paid,
           count(*) FILTER (WHERE state = 'retrying')::integer AS retrying,
           count(*) FILTER (WHERE state = 'uncollectible')::integer AS uncollectible,
           count(*) FILTER (WHERE state = 'held')::integer AS held,
           count(*) FILTER (WHERE state = 'review')::integer AS review,
           (SELECT count(*) FROM subscription)::integer AS subscriptions,
           (SELECT min(next_due_at) FROM subscription
             WHERE next_due_at IS NOT NULL AND status IN ('trialing', 'active', 'past_due')) AS "nextDueAt"
      FROM invoice`;
  if (row === undefined) throw new Error('the database did not count');
  return { ...row, nextDueAt: instantOrNull(row.nextDueAt) };
}

/** Whether nobody was ever subscribed here. */
export async function isEmpty(db: Db): Promise<boolean> {
  return (await db.subscription.findFirst({ select: { id: true } })) === null;
}
