import { expect, test } from '@jest/globals';
import { Client } from 'pg';
import { InputError } from '../../src/billing/errors.ts';
import { migratePostgresQueue, openPostgresQueue } from '../../src/queue/postgres.ts';
import { emptyDatabase } from '../support/database.ts';
import { holdsForEveryQueue } from './conformance.ts';

/** Away is a database that ends every session and lets nobody in. */
holdsForEveryQueue(async () => {
  const database = await emptyDatabase();
  await migratePostgresQueue(database.url);
  const server = process.env.TEST_DATABASE_URL ?? '';
  const name = new URL(database.url).pathname.slice(1);
  return {
    open: (onError) => openPostgresQueue({ url: database.url, onError }),
    goAway: async () => {
      await ask(server, `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
      await ask(server, `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '${name}'`);
    },
    comeBack: async () => {
      await ask(server, `ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
    },
    end: () => database.drop(),
  };
});

test('a database that was not migrated is refused, and stays as it was', async () => {
  const database = await emptyDatabase();
  const refusal = open(database.url);
  await expect(refusal).rejects.toThrow(InputError);
  await expect(refusal).rejects.toThrow("the queue's tables (schema bullmq) are not there; run `maedal migrate`");
  expect(await ask(database.url, `SELECT nspname FROM pg_namespace WHERE nspname = 'bullmq'`)).toEqual([]);
  await database.drop();
});

test('tables of an older version are refused', async () => {
  const database = await emptyDatabase();
  await migratePostgresQueue(database.url);
  await ask(database.url, 'DELETE FROM bullmq.migration WHERE version > 9');
  await expect(open(database.url)).rejects.toThrow(/are of version 9, older than \d+; run `maedal migrate`/);
  await database.drop();
});

test('migrating again, and five at once, comes to the same as migrating once', async () => {
  const database = await emptyDatabase();
  await Promise.all(Array.from({ length: 5 }, () => migratePostgresQueue(database.url)));
  const applied = await ask(database.url, 'SELECT version, applied_at FROM bullmq.migration ORDER BY version');
  await migratePostgresQueue(database.url);
  expect(await ask(database.url, 'SELECT version, applied_at FROM bullmq.migration ORDER BY version')).toEqual(applied);
  const queue = await open(database.url);
  expect(await queue.waiting()).toBe(0);
  await queue.close();
  await database.drop();
});

test('without its database, opening and migrating reject', async () => {
  const database = await emptyDatabase();
  await database.drop();
  await expect(open(database.url)).rejects.toThrow('does not exist');
  await expect(migratePostgresQueue(database.url)).rejects.toThrow('does not exist');
});

function open(url: string) {
  return openPostgresQueue({ url, onError: () => undefined });
}

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<Record<string, unknown>>(sql);
  await client.end();
  return rows;
}
