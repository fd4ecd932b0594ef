import type { Db } from './db.ts';
import { type DeliveryStanding, type DisabledEndpoint, deliveryStandings, disabledEndpoints } from './endpoints.ts';
import { type Fence, fenceOf, type Identity } from './fence.ts';
import { AUDIT_LASTS } from './lease.ts';
import { pending } from './migrate.ts';
import type { Listener } from './outbox.ts';

/** What an operator must know of the database. */
export type DatabaseFacts = {
  readonly version: string;
  /** The server's clock, in ms since 1970. */
  readonly nowMs: number;
  readonly pendingMigrations: readonly string[];
  /** Cards by what the gateway said of their channel; null before the first migration. */
  readonly keys: { readonly sandbox: number; readonly live: number } | null;
};

/** Asks the database how it is set up; it may be empty still. Throws when it cannot be reached, or is not ours. */
export async function inspectDatabase(db: Db, url: string): Promise<DatabaseFacts> {
  const pendingMigrations = await pending(url);
  const [server] = await db.$queryRaw<[{ version: string; nowMs: number; migrated: boolean }]>`
    SELECT current_setting('server_version') AS version, extract(epoch FROM clock_timestamp())::float8 * 1000 AS "nowMs",
           to_regclass('billing_key') IS NOT NULL AS migrated`;
  const { version, nowMs, migrated } = server;
  return { version, nowMs, pendingMigrations, keys: migrated ? await countKeys(db) : null };
}

async function countKeys(db: Db): Promise<DatabaseFacts['keys']> {
  const [keys] = await db.$queryRaw<[{ sandbox: number; live: number }]>`
    SELECT count(*) FILTER (WHERE sandbox)::float8 AS sandbox, count(*) FILTER (WHERE NOT sandbox)::float8 AS live
      FROM billing_key`;
  return keys;
}

/** What stands between a due invoice and its charge, for the whole installation. */
export type Standing = {
  readonly fence: Fence;
  /** Why nothing is sent; null while the switch is on. */
  readonly switchedOff: { readonly reason: string | null; readonly by: string | null } | null;
  /** When the last audit that counts began, and whether it still does: then first attempts go without a look-up. */
  readonly audited: { readonly at: Date; readonly counts: boolean } | null;
  /** Why the gateway's own schedules could not be listed the last time; null where nothing says so. */
  readonly schedulesUnclear: string | null;
  /** The shortest period of any subscription that is charged, in days, months and years as long as they may be; null where there is none. */
  readonly shortestDays: number | null;
  /** What subscriptions that are not canceled name and the configuration lacks, and how many they are. */
  readonly missing: readonly Missing[];
  readonly events: {
    /** The names of all who are told of events. */
    readonly told: readonly string[];
    readonly disabled: readonly DisabledEndpoint[];
    readonly deliveries: readonly DeliveryStanding[];
  };
};

export type Missing = { readonly kind: 'policy' | 'channel'; readonly name: string; readonly subscriptions: number };

/** The names in the configuration that subscriptions may bear, and who is told of events. */
export type Configured = {
  readonly policies: readonly string[];
  readonly channels: readonly string[];
  readonly told: readonly Listener[];
};

/** Asks for it, in a database that is migrated. */
export async function inspectStanding(db: Db, identity: Identity, configured: Configured): Promise<Standing> {
  const control = await db.control.findUniqueOrThrow({ where: { id: 1 } });
  const [{ counts }] = await db.$queryRaw<[{ counts: boolean }]>`
    SELECT coalesce(audited_in = maedal_incarnation() AND audited_at > maedal_now() - ${AUDIT_LASTS}::interval, false) AS counts FROM control`;
  return {
    fence: fenceOf(control, identity),
    switchedOff: control.sending_enabled ? null : { reason: control.sending_reason, by: control.sending_changed_by },
    audited: control.audited_at === null ? null : { at: control.audited_at, counts },
    schedulesUnclear: control.schedules_unclear,
    shortestDays: await shortestDays(db),
    missing: await missingNames(db, configured),
    events: {
      told: configured.told.map(({ name }) => name),
      disabled: await disabledEndpoints(db, configured.told),
      deliveries: await deliveryStandings(db),
    },
  };
}

async function shortestDays(db: Db): Promise<number | null> {
  const [row] = await db.$queryRaw<{ days: number | null }[]>`
    SELECT min(interval_count * CASE "interval" WHEN 'day' THEN 1 WHEN 'week' THEN 7 WHEN 'month' THEN 31 ELSE 366 END)::float8 AS days
      FROM subscription WHERE status IN ('trialing', 'active', 'past_due')`;
  return row?.days ?? null;
}

async function missingNames(db: Db, { policies, channels }: Configured): Promise<Missing[]> {
  return db.$queryRaw<Missing[]>`
    SELECT named.kind, named.name, count(*)::integer AS subscriptions
      FROM subscription CROSS JOIN LATERAL (VALUES ('policy', policy), ('channel', channel)) named (kind, name)
     WHERE status <> 'canceled' AND named.name <> ALL(CASE named.kind WHEN 'policy' THEN ${[...policies]}::text[] ELSE ${[...channels]}::text[] END)
     GROUP BY named.kind, named.name ORDER BY named.kind, named.name`;
}
