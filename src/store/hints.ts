import type { PaymentRecord } from '../billing/charge.ts';
import type { Db } from './db.ts';
import { observe } from './observations.ts';
import { Prisma } from './prisma/client.ts';

/** What a webhook said, before anything of it is believed. Null where it said nothing that can be read. */
export type Hint = {
  readonly impUid: string | null;
  readonly merchantUid: string | null;
  readonly status: string | null;
  /** The address that it came from. */
  readonly source: string | null;
  /** The body as it was sent. */
  readonly raw: string;
};

/** A payment that is to be looked up because somebody hinted at it. */
export type TakenHint = {
  readonly id: string;
  readonly merchantUid: string;
  /** How much of what was heard this look-up answers for. */
  readonly taken: number;
  readonly tries: number;
};

/** What the flow of hints asks of the database. */
export type HintStore = ReturnType<typeof hintStore>;

/** The rows themselves, of our own database: in another one, told by its `fingerprint`, nothing is written or taken. */
export function hintStore(db: Db, fingerprint: string) {
  return {
    keepHints: (hints: readonly Hint[]) => keepHints(db, hints, fingerprint),
    takeHints: (limit: number) => takeHints(db, limit, fingerprint),
    endHint: (hint: TakenHint) => endHint(db, hint, fingerprint),
    forgetHints: (limit: number) => forgetHints(db, limit, fingerprint),
    observe: (records: readonly PaymentRecord[]) => observe(db, records, 'webhook'),
  };
}

/**
 * Keeps what was heard, one statement for all of it. A payment of ours is looked up soon, but no sooner than ten seconds
 * after its last look-up; while it waits for one, hearing of it again writes nothing. Anything else is kept in one of a
 * hundred places, each for ten seconds at least. It reads attempts and locks none of them. Returns false where the
 * database is another installation's: then nothing was kept.
 */
async function keepHints(db: Db, hints: readonly Hint[], fingerprint: string): Promise<boolean> {
  const [row] = await db.$queryRaw<{ isOurs: boolean }[]>`
    WITH heard AS MATERIALIZED (
      SELECT DISTINCT ON (place) * FROM (
        SELECT h.*, a.merchant_uid IS NOT NULL AS is_ours,
               coalesce(a.merchant_uid, '#' || (hashtext(coalesce(h.merchant_uid, '')) & 2147483647) % 100) AS place
          FROM jsonb_to_recordset(${JSON.stringify(hints.map(columns))}::jsonb)
               AS h (imp_uid text, merchant_uid text, status text, source text, raw text)
          LEFT JOIN attempt a ON a.merchant_uid = h.merchant_uid) each
       ORDER BY place
    ), news AS MATERIALIZED (
      SELECT heard.* FROM heard JOIN control ON ${isOurs(fingerprint)} LEFT JOIN hint known ON known.place = heard.place
       WHERE known.id IS NULL OR CASE WHEN known.is_ours THEN known.heard = known.taken
                                      ELSE known.received_at <= maedal_now() - ${APART}::interval END
       ORDER BY heard.place
    ), kept AS (
      INSERT INTO hint AS known (place, is_ours, imp_uid, merchant_uid, status, source, raw, look_at, handled_at)
      SELECT place, is_ours, imp_uid, merchant_uid, status, source::inet, raw,
             CASE WHEN is_ours THEN maedal_now() END, CASE WHEN NOT is_ours THEN maedal_now() END
        FROM news
      ON CONFLICT (place) DO UPDATE SET
        imp_uid = excluded.imp_uid, merchant_uid = excluded.merchant_uid, status = excluded.status, source = excluded.source,
        raw = excluded.raw, heard = known.heard + 1, received_at = maedal_now(), handled_at = excluded.handled_at,
        look_at = CASE WHEN known.is_ours
                       THEN coalesce(known.look_at, greatest(maedal_now(), known.looked_at + ${APART}::interval)) END
    )
    SELECT EXISTS (SELECT FROM control WHERE ${isOurs(fingerprint)}) AS "isOurs"`;
  return row?.isOurs === true;
}

/**
 * Takes up to `limit` payments whose look-up is due, and puts each off: ten seconds, and longer the more often nothing
 * clear was answered. So one payment is looked up once in ten seconds by all processes together, and a crash before it
 * ends costs that time.
 */
async function takeHints(db: Db, limit: number, fingerprint: string): Promise<TakenHint[]> {
  return db.$queryRaw<TakenHint[]>`
    WITH due AS MATERIALIZED (
      SELECT hint.id FROM hint JOIN control ON ${isOurs(fingerprint)} WHERE look_at <= maedal_now()
       ORDER BY look_at, hint.id LIMIT ${limit} FOR NO KEY UPDATE OF hint SKIP LOCKED
    )
    UPDATE hint SET taken = heard, tries = tries + 1, looked_at = maedal_now(),
           look_at = maedal_now() + ${APART}::interval * 2 ^ least(tries, 6)
      FROM due WHERE hint.id = due.id
    RETURNING hint.id::text, hint.merchant_uid AS "merchantUid", hint.taken, hint.tries`;
}

/** A hint was looked up. Where it was heard again since, it is looked up again, ten seconds after this time. */
async function endHint(db: Db, { id, taken }: TakenHint, fingerprint: string): Promise<void> {
  await db.$executeRaw`
    UPDATE hint SET tries = 0, handled_at = CASE WHEN heard = taken THEN maedal_now() END,
           look_at = CASE WHEN heard > taken THEN looked_at + ${APART}::interval END
      FROM control WHERE ${isOurs(fingerprint)} AND hint.id = ${id}::bigint AND taken = ${taken}`;
}

/** Forgets up to `limit` hints that were done with a month ago. */
async function forgetHints(db: Db, limit: number, fingerprint: string): Promise<number> {
  return db.$executeRaw`
    DELETE FROM hint WHERE id IN (
      SELECT hint.id FROM hint JOIN control ON ${isOurs(fingerprint)}
       WHERE handled_at <= maedal_now() - interval '30 days' ORDER BY handled_at LIMIT ${limit})`;
}

/** One that nobody has adopted yet is looked up in as well. */
function isOurs(fingerprint: string): Prisma.Sql {
  return Prisma.sql`coalesce(control.fingerprint, ${fingerprint}) = ${fingerprint}`;
}

/** Between two look-ups of one payment that hints ask for. */
const APART = '10 seconds';

function columns({ impUid, merchantUid, status, source, raw }: Hint): Record<string, string | null> {
  return { imp_uid: impUid, merchant_uid: merchantUid, status, source, raw };
}
