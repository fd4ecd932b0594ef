import type { Db } from './db.ts';
import type { Listener } from './outbox.ts';

/** An endpoint, or a hook, that asked to be left alone. */
export type DisabledEndpoint = { readonly name: string; readonly disabledAt: Date; readonly reason: string };

/** How deliveries stand at one listener, one that is configured no more among them. */
export type DeliveryStanding = {
  readonly name: string;
  readonly waiting: number;
  /** Those of them that no worker has tried for the three days that they have. */
  readonly overdue: number;
  /** Given up, of events of the last ten days. */
  readonly givenUp: number;
};

/** Those of the listeners that are left alone at the address that they have now. */
export async function disabledEndpoints(db: Db, listeners: readonly Listener[]): Promise<DisabledEndpoint[]> {
  return db.$queryRaw<DisabledEndpoint[]>`
    SELECT e.name, e.disabled_at AS "disabledAt", e.reason
      FROM event_endpoint e JOIN jsonb_to_recordset(${JSON.stringify(listeners)}::jsonb) AS l (name text, address text) USING (name, address)
     ORDER BY e.name`;
}

/** One that is told again, and when the first of what it missed meanwhile happened. */
type EnabledEndpoint = DisabledEndpoint & { readonly missedFrom: Date };

/** Has an endpoint be told again, at whatever address it was left alone, and tells that. Only in our own database. */
export async function enableEndpoint(
  db: Db,
  name: string,
  { actor, fingerprint }: { readonly actor: string; readonly fingerprint: string },
): Promise<EnabledEndpoint | null> {
  const [enabled] = await db.$queryRaw<EnabledEndpoint[]>`
    WITH enabled AS (
      DELETE FROM event_endpoint e USING control WHERE control.fingerprint = ${fingerprint} AND e.name = ${name}
      RETURNING e.name, e.disabled_at, e.reason
    ), written AS (
      INSERT INTO audit (actor, action, subject, details)
      SELECT ${actor}, 'endpoint.enabled', name, jsonb_build_object('disabled_at', disabled_at, 'reason', reason) FROM enabled
    ), told AS (
      INSERT INTO outbox (kind, payload, next_at)
      SELECT 'endpoint.enabled', jsonb_build_object('endpoint', name, 'by', ${actor}::text), maedal_now() FROM enabled
    )
    SELECT name, disabled_at AS "disabledAt", reason, least(disabled_at, (
             SELECT min(o.created_at) FROM delivery d JOIN outbox o ON o.id = d.outbox_id
              WHERE d.endpoint = name AND d.delivered_at IS NULL AND d.last_error = reason)) AS "missedFrom"
      FROM enabled`;
  return enabled ?? null;
}

/** How deliveries stand, by the name under which they are kept; a listener at which nothing waits is left out. */
export async function deliveryStandings(db: Db): Promise<DeliveryStanding[]> {
  return db.$queryRaw<DeliveryStanding[]>`
    SELECT * FROM (
      SELECT endpoint AS name, count(*) FILTER (WHERE next_at IS NOT NULL)::integer AS waiting,
             count(*) FILTER (WHERE next_at IS NOT NULL AND gives_up_at < maedal_now())::integer AS overdue,
             count(*) FILTER (WHERE next_at IS NULL AND created_at > maedal_now() - interval '10 days')::integer AS "givenUp"
        FROM delivery WHERE delivered_at IS NULL GROUP BY endpoint) each
     WHERE waiting + "givenUp" > 0 ORDER BY name`;
}

/**
 * Gives up to `limit` deliveries up that have waited for three days for a listener that is configured no more. Not sooner:
 * while versions are changed, another process may know it. Only in our own database.
 */
export async function giveUpOrphans(
  db: Db,
  names: readonly string[],
  { limit, fingerprint }: { readonly limit: number; readonly fingerprint: string },
): Promise<number> {
  return db.$executeRaw`
    UPDATE delivery SET next_at = NULL, lease_until = NULL, last_error = 'it is configured no more'
     WHERE id IN (SELECT d.id FROM delivery d JOIN control ON fingerprint = ${fingerprint}
                   WHERE d.next_at <= maedal_now() AND d.gives_up_at <= maedal_now() AND d.endpoint <> ALL(${names})
                   ORDER BY d.id LIMIT ${limit} FOR UPDATE OF d SKIP LOCKED)`;
}
