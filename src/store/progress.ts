import type { DateTime } from 'luxon';
import type { Db } from './db.ts';
import { instant, instantOrNull } from './instant.ts';
import { NEXT_DUE } from './next-due.ts';

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
  /** When something is next charged, retries included; null when nothing is due any more. */
  readonly nextDueAt: DateTime | null;
  /** By the database's clock. */
  readonly now: DateTime;
};

/** Counts over the whole database, by its own clock. */
export async function readProgress(db: Db): Promise<Progress> {
  const [row] = await db.$queryRaw<(Omit<Progress, 'nextDueAt' | 'now'> & { nextDueAt: Date | null; now: Date })[]>`
    SELECT (SELECT count(*) FROM attempt WHERE state IN ('prepared', 'sent'))::integer AS underway,
           (SELECT count(*) FROM attempt WHERE state = 'unknown')::integer AS unknown,
           count(*) FILTER (WHERE state = 'paid')::integer AS paid,
           count(*) FILTER (WHERE state = 'retrying')::integer AS retrying,
           count(*) FILTER (WHERE state = 'uncollectible')::integer AS uncollectible,
           count(*) FILTER (WHERE state = 'held')::integer AS held,
           count(*) FILTER (WHERE state = 'review')::integer AS review,
           (SELECT count(*) FROM subscription)::integer AS subscriptions,
           ${NEXT_DUE} AS "nextDueAt", maedal_now() AS now
      FROM invoice`;
  if (row === undefined) throw new Error('the database did not count');
  return { ...row, nextDueAt: instantOrNull(row.nextDueAt), now: instant(row.now) };
}

/** Whether nobody was ever subscribed here. */
export async function isEmpty(db: Db): Promise<boolean> {
  return (await db.subscription.findFirst({ select: { id: true } })) === null;
}
