import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { Client } from 'pg';
import { PACKAGE } from '../own-files.ts';

/** A migration's folder name and the SQL in it. */
type Migration = { readonly name: string; readonly sql: string; readonly checksum: string };

/**
 * Brings the database to the newest migration and returns the names applied now, oldest first. Writes the same
 * `_prisma_migrations` rows as `prisma migrate deploy`, so that either may go first; several at once wait for each
 * other. Each migration is one transaction: it is applied whole or not at all.
 *
 * Throws when an applied migration was changed since, is unknown to this version, or failed half-way elsewhere.
 */
export async function migrate(url: string): Promise<string[]> {
  return withClient(url, async (client) => {
    await client.query('SELECT pg_advisory_lock($1)', [PRISMA_LOCK]); // freed with the connection
    await client.query(MIGRATIONS_TABLE);
    const pending = await pendingMigrations(client);
    for (const migration of pending) await apply(client, migration);
    return pending.map((migration) => migration.name);
  });
}

/** The migrations that `migrate` would apply. Throws as it does; touches nothing. */
export async function pending(url: string): Promise<string[]> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ known: boolean }>(
      `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS known`,
    );
    const migrations = rows[0]?.known === true ? await pendingMigrations(client) : await readMigrations();
    return migrations.map((migration) => migration.name);
  });
}

async function withClient<Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({
    connectionString: url,
    application_name: 'maedal/migrate',
    connectionTimeoutMillis: 10_000,
    options: '-c TimeZone=UTC',
  });
  client.on('error', () => undefined); // the query in hand rejects with the same
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function pendingMigrations(client: Client): Promise<Migration[]> {
  const migrations = await readMigrations();
  const { rows } = await client.query<{ name: string; checksum: string; finished: boolean }>(
    `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
       FROM _prisma_migrations WHERE rolled_back_at IS NULL`,
  );
  for (const row of rows) {
    const ours = migrations.find((migration) => migration.name === row.name);
    if (ours === undefined) {
      throw new Error(
        `the database has migration ${row.name}, which this version of maedal does not know; update maedal`,
      );
    }
    if (!row.finished)
      throw new Error(`migration ${row.name} was begun and never finished; see \`prisma migrate resolve\``);
    if (ours.checksum !== row.checksum) throw new Error(`migration ${row.name} was changed after it had been applied`);
  }
  return migrations.filter((migration) => !rows.some((row) => row.name === migration.name));
}

async function apply(client: Client, migration: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(migration.sql);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
      [randomUUID(), migration.checksum, migration.name],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw new Error(`migration ${migration.name} failed and was rolled back`, { cause: error });
  }
}

async function readMigrations(): Promise<Migration[]> {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(names.sort().map(readMigration));
}

async function readMigration(name: string): Promise<Migration> {
  const sql = await readFile(new URL(`${name}/migration.sql`, MIGRATIONS), 'utf8');
  return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
}

const MIGRATIONS = new URL('prisma/migrations/', PACKAGE);

/** The advisory lock that Prisma's own engine takes on PostgreSQL, so that the two never run at once. */
const PRISMA_LOCK = 72707369;

/** The table as Prisma 7's engine creates it. */
const MIGRATIONS_TABLE = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id varchar(36) PRIMARY KEY NOT NULL,
  checksum varchar(64) NOT NULL,
  finished_at timestamptz,
  migration_name varchar(255) NOT NULL,
  logs text,
  rolled_back_at timestamptz,
  started_at timestamptz NOT NULL DEFAULT now(),
  applied_steps_count integer NOT NULL DEFAULT 0
)`;
