import type { Db } from './db.ts';
import { pending } from './migrate.ts';

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
