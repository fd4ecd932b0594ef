import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { DateTime } from 'luxon';
import { Client } from 'pg';
import { type Db, openDb } from '../../src/store/db.ts';
import { migrate, pending } from '../../src/store/migrate.ts';
import { databasesUsedAgain, type Resettable, resettable } from './used-again.ts';

/** A migrated database of a test's own, on the run's Postgres; its clock can be stopped and moved. */
export type TestDatabase = {
  readonly url: string;
  readonly db: Db;
  /** Stops `maedal_now()` at this instant; null lets it run with the server's clock again. */
  setNow(now: DateTime | null): Promise<void>;
  drop(): Promise<void>;
};

const usedAgain = databasesUsedAgain();

/** Clones the migrated template, which the first caller of a run makes; or one that a test of this file left, emptied. */
export async function freshDatabase(who = 'maedal/test'): Promise<TestDatabase> {
  const database = usedAgain.take(who) ?? (await clone(who));
  const { url, db } = database;
  return {
    url,
    db,
    setNow: async (now) => {
      const instant = now?.toJSDate() ?? null;
      await db.$executeRaw`UPDATE test_clock SET now = ${instant}`;
    },
    drop: () => usedAgain.give(who, database),
  };
}

/** Plans are kept: half of all the work of the flows' tests was the planning of the same statements. */
async function clone(who: string): Promise<Resettable> {
  const template = await templateDatabase();
  const name = `maedal_test_${randomUUID().replaceAll('-', '')}`;
  await admin((client) => locked(client, () => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`)));
  const url = urlOf(name);
  const db = openDb({ url, who, connections: 20, throwAway: true });
  const drop = async () => {
    await db.$disconnect();
    await admin((client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  };
  return resettable({ url, db, drop }, who);
}

/** An empty database, not migrated. */
export async function emptyDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `maedal_test_${randomUUID().replaceAll('-', '')}`;
  await admin((client) => client.query(`CREATE DATABASE ${name} TEMPLATE template0`));
  return {
    url: urlOf(name),
    drop: async () => {
      await admin((client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    },
  };
}

async function templateDatabase(): Promise<string> {
  const names = await pending(urlOf('postgres'));
  const files = names.map((name) => new URL(`../../prisma/migrations/${name}/migration.sql`, import.meta.url));
  const sql = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  const name = `maedal_template_${createHash('sha256').update(sql.join('')).update(TEST_CLOCK).digest('hex').slice(0, 16)}`;
  await admin((client) => locked(client, () => makeTemplate(client, name)));
  return name;
}

async function makeTemplate(client: Client, name: string): Promise<void> {
  const { rows } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
  if (rows.length > 0) return;
  const making = `${name}_making`;
  await client.query(`DROP DATABASE IF EXISTS ${making} WITH (FORCE)`);
  await client.query(`CREATE DATABASE ${making} TEMPLATE template0`);
  await migrate(urlOf(making));
  await connected(urlOf(making), (made) => made.query(TEST_CLOCK));
  await client.query(`ALTER DATABASE ${making} RENAME TO ${name}`);
}

async function locked<Result>(client: Client, work: () => Promise<Result>): Promise<Result> {
  await client.query('SELECT pg_advisory_lock(4711)'); // freed with the connection
  return work();
}

async function admin<Result>(work: (client: Client) => Promise<Result>): Promise<Result> {
  return connected(urlOf('postgres'), work);
}

async function connected<Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function urlOf(database: string): string {
  const base = process.env.TEST_DATABASE_URL;
  if (base === undefined) throw new Error('TEST_DATABASE_URL is not set; run the tests with `npm test`');
  const url = new URL(base);
  url.pathname = `/${database}`;
  return url.toString();
}

const TEST_CLOCK = `
CREATE TABLE test_clock (now timestamptz);
INSERT INTO test_clock VALUES (NULL);
CREATE OR REPLACE FUNCTION maedal_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
  AS 'SELECT coalesce((SELECT now FROM test_clock), clock_timestamp())';`;
