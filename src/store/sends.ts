import type { Db } from './db.ts';

/** A payment known to be paid, to hold a "not found" against. */
export type Canary = { readonly merchantUid: string; readonly impUid: string };

/** The payment of ours that was last seen paid, other than those of one `merchant_uid`; null where there is none. */
export async function canary(db: Db, otherThan: string): Promise<Canary | null> {
  const [row] = await db.$queryRaw<Canary[]>`
    SELECT merchant_uid AS "merchantUid", imp_uid AS "impUid" FROM observation
     WHERE status = 'paid' AND merchant_uid <> ${otherThan} ORDER BY last_seen_at DESC LIMIT 1`;
  return row ?? null;
}

/** How many of the last `count` sends there are, and how many of them have no answer yet. */
export async function recentSends(
  db: Db,
  count: number,
): Promise<{ readonly sends: number; readonly unknown: number }> {
  const [row] = await db.$queryRaw<{ sends: number; unknown: number }[]>`
    SELECT count(*)::integer AS sends, count(*) FILTER (WHERE state = 'unknown')::integer AS unknown
      FROM (SELECT state FROM attempt WHERE sent_at IS NOT NULL ORDER BY sent_at DESC LIMIT ${count}) last`;
  return row ?? { sends: 0, unknown: 0 };
}
