import type { Db } from './db.ts';

/** Who is told of what: by name, of these kinds, or of all. `address` tells one address from another and shows none. */
export type Listener = { readonly name: string; readonly types: readonly string[] | null; readonly address: string };

/**
 * Takes up to `limit` events that nobody has taken up yet, the oldest first, and makes a delivery of each for every
 * listener: one statement. Here an event gets its number within its subscription, without gaps, and the rest of its
 * snapshot: whose it is, which never changes, and how subscription and invoice stand as it is taken up. One process at
 * a time has its turn; who finds it taken takes none. Only in our own database. Returns how many were taken.
 */
export async function takeUpEvents(
  db: Db,
  listeners: readonly Listener[],
  { limit, fingerprint }: { readonly limit: number; readonly fingerprint: string },
): Promise<number> {
  const [row] = await db.$queryRaw<{ taken: number }[]>`
    WITH turn AS MATERIALIZED (
      -- Whoever has it sees all that was numbered before: of one subscription, no event overtakes another.
      SELECT event_turn.id FROM event_turn JOIN control ON fingerprint = ${fingerprint} FOR UPDATE OF event_turn SKIP LOCKED
    ), fresh AS MATERIALIZED (
      SELECT outbox.id, outbox.subscription_id, outbox.invoice_id FROM outbox JOIN turn ON true
       WHERE relayed_at IS NULL ORDER BY outbox.id LIMIT ${limit} FOR UPDATE OF outbox
    ), counted AS (
      INSERT INTO event_sequence (subscription_id, last)
      SELECT subscription_id, count(*) FROM fresh WHERE subscription_id IS NOT NULL GROUP BY subscription_id ORDER BY subscription_id
      ON CONFLICT (subscription_id) DO UPDATE SET last = event_sequence.last + excluded.last
      RETURNING subscription_id, last
    ), numbered AS MATERIALIZED (
      SELECT fresh.id, counted.last - count(*) OVER of_one + row_number() OVER (of_one ORDER BY fresh.id) AS sequence,
             jsonb_strip_nulls(jsonb_build_object('subscription_id', s.external_id, 'customer_id', c.external_id, 'invoice_id', i.id,
               'period', i.period_key, 'amount', i.amount, 'currency', i.currency)) AS whose,
             jsonb_strip_nulls(jsonb_build_object(
               'subscription', CASE WHEN s.id IS NOT NULL THEN jsonb_build_object('status', s.status, 'access', s.access, 'plan', s.plan) END,
               'invoice', CASE WHEN i.id IS NOT NULL THEN jsonb_build_object('status', i.state, 'reason', i.reason, 'failures', i.failures) END)) AS stands
        FROM fresh LEFT JOIN counted ON counted.subscription_id = fresh.subscription_id
        LEFT JOIN subscription s ON s.id = fresh.subscription_id LEFT JOIN customer c ON c.id = s.customer_id
        LEFT JOIN invoice i ON i.id = fresh.invoice_id
      WINDOW of_one AS (PARTITION BY fresh.subscription_id)
    ), taken AS (
      UPDATE outbox SET relayed_at = maedal_now(), next_at = NULL, sequence = numbered.sequence,
             payload = numbered.whose || outbox.payload || numbered.stands
        FROM numbered WHERE outbox.id = numbered.id
      RETURNING outbox.id, outbox.kind, outbox.subscription_id
    ), made AS (
      INSERT INTO delivery (outbox_id, endpoint, subscription_id, next_at)
      SELECT taken.id, l.name, taken.subscription_id, maedal_now()
        FROM taken JOIN jsonb_to_recordset(${JSON.stringify(listeners)}::jsonb) AS l (name text, types jsonb, address text)
          ON coalesce(l.types ? taken.kind, true)
       WHERE NOT EXISTS (SELECT FROM event_endpoint e WHERE e.name = l.name AND e.address = l.address)
       ORDER BY taken.id
    )
    SELECT count(*)::integer AS taken FROM taken`;
  return row?.taken ?? 0;
}

/**
 * Forgets up to `limit` events of more than 90 days ago, the oldest first, and what became of them; none that is still to
 * be delivered to anybody. What happened to an invoice is told by other rows. Only in our own database.
 */
export async function forgetEvents(
  db: Db,
  { limit, fingerprint }: { readonly limit: number; readonly fingerprint: string },
): Promise<number> {
  return db.$executeRaw`
    WITH old AS MATERIALIZED (
      SELECT o.id FROM outbox o JOIN control ON fingerprint = ${fingerprint}
       WHERE o.created_at < maedal_now() - interval '90 days' AND o.relayed_at IS NOT NULL
         AND NOT EXISTS (SELECT FROM delivery d WHERE d.outbox_id = o.id AND d.next_at IS NOT NULL)
       ORDER BY o.created_at, o.id LIMIT ${limit} FOR UPDATE OF o SKIP LOCKED
    ), forgotten AS (
      DELETE FROM delivery USING old WHERE delivery.outbox_id = old.id AND delivery.next_at IS NULL
    )
    DELETE FROM outbox USING old WHERE outbox.id = old.id`;
}
