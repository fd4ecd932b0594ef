import type { Db } from './db.ts';
import type { Listener } from './outbox.ts';

/** An event on its way to one listener, in one worker's hands until its lease ends. */
export type Delivery = {
  readonly id: bigint;
  /** Counted from 1, this one included; a record made under an earlier one is refused. */
  readonly tries: number;
  readonly eventId: string;
  readonly kind: string;
  /** Its number within its subscription; null where it is of none. */
  readonly sequence: number | null;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly happenedAt: Date;
  /** The database's clock. */
  readonly now: Date;
};

/**
 * Takes up to `limit` deliveries to a listener that are due, the longest first, for `leaseSeconds`: however many workers
 * there are, each is in one worker's hands. One waits for those before it of its subscription that were not tried yet or
 * are under way; what failed once is not waited for. Nothing of another installation's database is delivered.
 */
export async function leaseDeliveries(
  db: Db,
  { name, address }: Listener,
  { limit, leaseSeconds, fingerprint }: { limit: number; leaseSeconds: number; fingerprint: string },
): Promise<Delivery[]> {
  return db.$queryRaw<Delivery[]>`
    WITH due AS MATERIALIZED (
      SELECT d.id FROM delivery d JOIN control ON fingerprint = ${fingerprint}
       WHERE d.endpoint = ${name} AND d.next_at <= maedal_now()
         AND NOT EXISTS (SELECT FROM event_endpoint e WHERE e.name = ${name} AND e.address = ${address})
         AND NOT EXISTS (SELECT FROM delivery before WHERE before.endpoint = d.endpoint AND before.subscription_id = d.subscription_id
                            AND before.outbox_id < d.outbox_id AND before.next_at IS NOT NULL
                            AND (before.tries = 0 OR before.lease_until > maedal_now()))
       ORDER BY d.next_at, d.id LIMIT ${limit} FOR UPDATE OF d SKIP LOCKED
    ), leased AS (
      UPDATE delivery SET tries = tries + 1, lease_until = maedal_now() + make_interval(secs => ${leaseSeconds}),
             next_at = maedal_now() + make_interval(secs => ${leaseSeconds})
        FROM due WHERE delivery.id = due.id RETURNING delivery.id, delivery.outbox_id, delivery.tries
    )
    SELECT leased.id, leased.tries, o.event_id::text AS "eventId", o.kind, o.sequence::float8 AS sequence, o.payload,
           o.created_at AS "happenedAt", maedal_now() AS now
      FROM leased JOIN outbox o ON o.id = leased.outbox_id ORDER BY o.id`;
}

/** What a try came to. `afterSeconds`: when to try again, counted from the database's now. */
export type Tried =
  | { readonly kind: 'delivered'; readonly status: number | null }
  | {
      /** `undone`: nothing can be said of it, and it counts for no try. */
      readonly kind: 'failed' | 'undone';
      readonly status: number | null;
      readonly reason: string;
      readonly afterSeconds: number;
    };

/**
 * Writes down what a try came to; what cannot be tried again in time is given up, and stays to be seen. That it arrived
 * is a fact, whoever tried since; a failure counts only for who holds the delivery. Returns whether it was written.
 */
export async function recordTry(db: Db, { id, tries }: Pick<Delivery, 'id' | 'tries'>, tried: Tried): Promise<boolean> {
  const arrived = tried.kind === 'delivered';
  const after = arrived ? 0 : tried.afterSeconds;
  const written = await db.$executeRaw`
    UPDATE delivery SET last_status = ${tried.status}::integer, last_error = ${arrived ? null : tried.reason}, lease_until = NULL,
           tries = delivery.tries - ${tried.kind === 'undone' ? 1 : 0}::integer,
           delivered_at = CASE WHEN ${arrived} THEN maedal_now() END,
           next_at = CASE WHEN NOT ${arrived} AND maedal_now() + make_interval(secs => ${after}) <= gives_up_at
                          THEN maedal_now() + make_interval(secs => ${after}) END
     WHERE id = ${id} AND delivered_at IS NULL AND (${arrived} OR tries = ${tries})`;
  return written === 1;
}

/**
 * Leaves an endpoint alone that asked for it: what waits for it is given up, what was just tried among it, nothing new is
 * made for it at this address, and that is told as an event. Returns false when it was left alone before.
 */
export async function disableEndpoint(db: Db, { name, address }: Listener, reason: string): Promise<boolean> {
  const [row] = await db.$queryRaw<{ disabled: number }[]>`
    WITH disabled AS (
      INSERT INTO event_endpoint (name, address, reason) VALUES (${name}, ${address}, ${reason})
      ON CONFLICT (name) DO UPDATE SET address = excluded.address, reason = excluded.reason, disabled_at = maedal_now()
       WHERE event_endpoint.address <> excluded.address
      RETURNING name
    ), left_alone AS (
      UPDATE delivery SET next_at = NULL, lease_until = NULL, last_error = ${reason}
       WHERE endpoint = ${name} AND next_at IS NOT NULL
    ), told AS (
      INSERT INTO outbox (kind, payload, next_at)
      SELECT 'endpoint.disabled', jsonb_build_object('endpoint', name, 'reason', ${reason}::text), maedal_now() FROM disabled
    )
    SELECT count(*)::integer AS disabled FROM disabled`;
  return row?.disabled === 1;
}
