import type { Db } from './db.ts';
import { type EventFilter, toldLike } from './events.ts';
import type { Listener } from './outbox.ts';
import { type Place, placeIn } from './page.ts';
import { Prisma } from './prisma/client.ts';

/** Which events go again, and to whom: `undelivered` leaves out what has arrived there. */
export type Replay = {
  readonly filter: EventFilter;
  readonly listeners: readonly Listener[];
  readonly undelivered: boolean;
};

/** Deliveries that are made, by the name of the listener. */
export type Replayed = Readonly<Record<string, number>>;

/** Counts the deliveries that a replay would make now. */
export async function countReplay(db: Db, replay: Replay): Promise<Replayed> {
  const rows = await db.$queryRaw<{ name: string; count: number }[]>`
    SELECT l.name, count(*)::integer AS count
      FROM outbox o JOIN ${listenersOf(replay)} ON coalesce(l.types ? o.kind, true)
      LEFT JOIN delivery known ON known.outbox_id = o.id AND known.endpoint = l.name
     WHERE ${toldLike(replay.filter)} AND ${isEnabled} AND (known.id IS NULL OR ${goesAgain(replay)})
     GROUP BY l.name`;
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
}

/**
 * Has up to `limit` events go again, those after a place, the oldest first: each under its id and number, with three days
 * of tries from now on. What is under way at this moment is left alone. Only in our own database. `next` is null once
 * there are no more.
 */
export async function replay(
  db: Db,
  what: Replay,
  { limit, after, fingerprint }: { readonly limit: number; readonly after: Place | null; readonly fingerprint: string },
): Promise<{ readonly made: Replayed; readonly next: Place | null }> {
  const place = after === null ? Prisma.sql`true` : Prisma.sql`(o.created_at, o.id) > ${placeIn(after, 'bigint')}`;
  const [row] = await db.$queryRaw<{ made: Replayed | null; count: number; last: Place | null }[]>`
    WITH wanted AS MATERIALIZED (
      SELECT o.id, o.kind, o.subscription_id, o.created_at FROM outbox o JOIN control ON fingerprint = ${fingerprint}
       WHERE ${toldLike(what.filter)} AND ${place} ORDER BY o.created_at, o.id LIMIT ${limit} FOR KEY SHARE OF o
    ), made AS (
      INSERT INTO delivery AS known (outbox_id, endpoint, subscription_id, next_at)
      SELECT o.id, l.name, o.subscription_id, maedal_now()
        FROM wanted o JOIN ${listenersOf(what)} ON coalesce(l.types ? o.kind, true)
       WHERE ${isEnabled} ORDER BY o.id, l.name
      ON CONFLICT (outbox_id, endpoint) DO UPDATE SET next_at = maedal_now(), tries = 0, lease_until = NULL, delivered_at = NULL,
        last_status = NULL, last_error = NULL, gives_up_at = maedal_now() + interval '3 days'
       WHERE ${goesAgain(what)}
      RETURNING known.endpoint
    )
    SELECT (SELECT jsonb_object_agg(endpoint, count) FROM (SELECT endpoint, count(*) FROM made GROUP BY endpoint) each) AS made,
           (SELECT count(*)::integer FROM wanted) AS count,
           (SELECT jsonb_build_object('createdUs', (extract(epoch FROM created_at) * 1000000)::bigint::text, 'id', id::text)
              FROM wanted ORDER BY created_at DESC, id DESC LIMIT 1) AS last`;
  return { made: row?.made ?? {}, next: row?.count === limit ? row.last : null };
}

/** Notes in the audit who has what replayed. Returns false where the database is another installation's. */
export async function noteReplay(
  db: Db,
  fingerprint: string,
  { actor, details }: { readonly actor: string; readonly details: object },
): Promise<boolean> {
  const noted = await db.$executeRaw`
    INSERT INTO audit (actor, action, details)
    SELECT ${actor}, 'events.replayed', ${JSON.stringify(details)}::jsonb FROM control WHERE fingerprint = ${fingerprint}`;
  return noted === 1;
}

function listenersOf({ listeners }: Replay): Prisma.Sql {
  return Prisma.sql`jsonb_to_recordset(${JSON.stringify(listeners)}::jsonb) AS l (name text, types jsonb, address text)`;
}

/** A delivery that was made before and is in nobody's hands. */
function goesAgain({ undelivered }: Replay): Prisma.Sql {
  return Prisma.sql`(known.lease_until IS NULL OR known.lease_until <= maedal_now())
    AND (known.delivered_at IS NULL OR NOT ${undelivered}::boolean)`;
}

const isEnabled = Prisma.sql`NOT EXISTS (SELECT FROM event_endpoint e WHERE e.name = l.name AND e.address = l.address)`;
