import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { PrismaPg } from '@prisma/adapter-pg';
import { Client } from 'pg';
import { type Db, openDb } from '../../../src/store/db.ts';
import { PrismaClient } from '../../../src/store/prisma/client.ts';
import { emptyDatabase } from '../../support/database.ts';
import { FaultProxy } from '../proxy/fault-proxy.ts';
import { afterRollback } from './late-statement.ts';

/** Why money moves by single statements, and why an error from one of them means "read again". */
let database: Awaited<ReturnType<typeof emptyDatabase>>;
let direct: Client;
let proxy: FaultProxy;

beforeEach(async () => {
  database = await emptyDatabase();
  direct = new Client({ connectionString: database.url });
  await direct.connect();
  await direct.query('CREATE TABLE first (what text); CREATE TABLE second (what text)');
  proxy = await FaultProxy.start({ upstream: database.url, wire: 'postgres' });
});
afterEach(async () => {
  await proxy.close();
  await direct.end();
  await database.drop();
});

test('pg raises when the reply to COMMIT is lost, and the row is committed, every time', async () => {
  for (let number = 1; number <= 20; number += 1) {
    const client = new Client({ connectionString: proxy.url });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('BEGIN');
    await client.query('INSERT INTO first VALUES ($1)', [`${number}`]);
    proxy.arm({ kind: 'swallow-reply', match: /^COMMIT$/ });
    await expect(client.query('COMMIT')).rejects.toThrow();
    expect(await rowsOf('first')).toBe(number);
  }
});

describe('Prisma', () => {
  let db: Db;
  beforeEach(() => {
    db = openDb({ url: proxy.url, who: 'maedal/test' });
  });
  afterEach(async () => {
    await db.$disconnect();
  });

  test.each([
    [
      'a transaction of two statements',
      /^COMMIT$/,
      undefined,
      () => db.$transaction([db.$executeRaw`INSERT INTO first VALUES ('x')`, db.$executeRaw`DELETE FROM second`]),
    ],
    [
      'an interactive transaction',
      /^COMMIT$/,
      undefined,
      () => db.$transaction((tx) => tx.$executeRaw`INSERT INTO first VALUES ('x')`),
    ],
    ['a single statement', /^INSERT/, 'P2010', () => db.$executeRaw`INSERT INTO first VALUES ('x')`],
  ] as const)(
    'raises when the last reply to %s is lost, and the row is committed, every time',
    async (_, match, code, run) => {
      for (let number = 1; number <= 15; number += 1) {
        proxy.arm({ kind: 'swallow-reply', match });
        const error = await run().then(
          () => 'no error',
          (raised: unknown) => raised,
        );
        expect(error).toBeInstanceOf(Error);
        expect(Object(error).code).toBe(code);
        expect(await rowsOf('first')).toBe(number);
      }
    },
  );
});

test('a Prisma interactive transaction whose statement is dispatched after its timeout commits half of itself', async () => {
  const adapter = afterRollback(new PrismaPg({ connectionString: database.url, max: 1 }), /INTO second/);
  const db = new PrismaClient({ adapter });
  const work = db.$transaction(
    async (tx) => {
      await tx.$executeRaw`INSERT INTO first VALUES ('rolled back')`;
      await tx.$executeRaw`INSERT INTO second VALUES ('stays')`;
    },
    { timeout: 100 },
  );
  await expect(work).rejects.toMatchObject({ code: 'P2028' });
  expect([await rowsOf('first'), await rowsOf('second')]).toEqual([0, 1]);
  await db.$disconnect();
});

test('a commit is acknowledged once it is on disk, also where the database is set to say so sooner', async () => {
  const name = new URL(database.url).pathname.slice(1);
  await direct.query(`ALTER DATABASE ${name} SET synchronous_commit = off`);
  const db = openDb({ url: database.url, who: 'maedal/test' });
  expect(await db.$queryRaw`SHOW synchronous_commit`).toEqual([{ synchronous_commit: 'on' }]);
  await db.$disconnect();
});

async function rowsOf(table: 'first' | 'second'): Promise<number> {
  const { rows } = await direct.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
  return rows[0]?.count ?? 0;
}
