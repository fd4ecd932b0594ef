import type { DeclineClass } from '../billing/charge.ts';
import type { Db } from './db.ts';

/** Declines in one payment company's words, and what they were taken for. */
export type DeclineCount = {
  readonly class: DeclineClass;
  readonly text: string | null;
  readonly channel: string;
  readonly count: number;
  readonly lastAt: Date;
};

/**
 * Declines answered in the last `days`, by their words: first those that no table and no keyword knows (`other`), then
 * the most frequent. At most `limit`, with how many there are in all.
 */
export async function countDeclines(
  db: Db,
  days: number,
  limit: number,
): Promise<{ readonly total: number; readonly counts: readonly DeclineCount[] }> {
  const rows = await db.$queryRaw<(DeclineCount & { total: number })[]>`
    SELECT a.decline_class AS class, a.fail_reason AS text, s.channel, count(*)::integer AS count, max(a.answered_at) AS "lastAt",
           (sum(count(*)) OVER ())::integer AS total
      FROM attempt a JOIN invoice i ON i.id = a.invoice_id JOIN subscription s ON s.id = i.subscription_id
     WHERE a.state IN ('declined', 'rejected') AND a.answered_at > maedal_now() - make_interval(days => ${days}::integer)
     GROUP BY a.decline_class, a.fail_reason, s.channel
     ORDER BY a.decline_class <> 'other', count(*) DESC, a.fail_reason, s.channel LIMIT ${limit}`;
  return { total: rows[0]?.total ?? 0, counts: rows.map(({ total: _, ...count }) => count) };
}
