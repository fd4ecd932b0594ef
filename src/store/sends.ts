import type { Db } from './db.ts';

/** A payment known to be paid, to hold a "not found" against. */
export type Canary = { readonly merchantUid: string; readonly impUid: string };

/**
 * Up to three payments known to be paid, other than those of one `merchant_uid`: the ones that were last seen, those that
 * an attempt of ours counts as paid by first. What somebody else paid is one only where nothing better is known.
 */
export async function canaries(db: Db, otherThan: string): Promise<Canary[]> {
  return db.$queryRaw<Canary[]>`
    SELECT "merchantUid", "impUid" FROM (
      SELECT merchant_uid AS "merchantUid", imp_uid AS "impUid", last_seen_at FROM observation
       WHERE status = 'paid' AND gone_at IS NULL AND merchant_uid <> ${otherThan} ORDER BY last_seen_at DESC LIMIT ${CANARIES_FROM}) seen
     ORDER BY EXISTS (SELECT FROM attempt a WHERE a.merchant_uid = seen."merchantUid" AND a.imp_uid = seen."impUid") DESC, last_seen_at DESC, "impUid"
     LIMIT ${CANARIES}`;
}

/**
 * How many of the last `count` sends that are over there are, and how many of them had no answer. Those still on their way
 * say nothing yet, and would outnumber the others. One that was told that there are too many is no sign of trouble.
 */
export async function recentSends(
  db: Db,
  count: number,
): Promise<{ readonly sends: number; readonly unknown: number }> {
  const [row] = await db.$queryRaw<{ sends: number; unknown: number }[]>`
    SELECT count(*)::integer AS sends, count(*) FILTER (WHERE state = 'unknown')::integer AS unknown
      FROM (SELECT state FROM attempt WHERE sent_at IS NOT NULL AND state <> 'sent' AND coalesce(slowed_at < sent_at, true) ORDER BY sent_at DESC LIMIT ${count}) last`;
  return row ?? { sends: 0, unknown: 0 };
}

/** Several, for one may have been given back since; few, for each that is not found costs a call. */
const CANARIES = 3;
/** The newest are read alone: the table grows for ever. */
const CANARIES_FROM = 50;
