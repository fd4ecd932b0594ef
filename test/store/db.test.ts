import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Db, openDb } from '../../src/store/db.ts';
import { Prisma } from '../../src/store/prisma/client.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let db: Db;

beforeEach(async () => {
  database = await freshDatabase();
  db = openDb({ url: database.url, who: 'maedal/test', connections: 1 });
});
afterEach(async () => {
  await db.$disconnect();
  await database.drop();
});

const plans = () => db.$queryRaw<{ name: string; statement: string; uses: number }[]>`
  SELECT name, statement, (generic_plans + custom_plans)::int AS uses FROM pg_prepared_statements`;
const due = (state: string) => db.$queryRaw`SELECT id FROM invoice WHERE state = ${state}`;

test('a statement that comes again is the one that the connection has prepared', async () => {
  for (const state of ['open', 'paid', 'open']) await due(state);
  const ours = (await plans()).filter(({ statement }) => statement.includes('FROM invoice WHERE state ='));
  expect(ours).toMatchObject([{ name: expect.stringMatching(/^maedal_\d+$/), uses: 3 }]);
});

test('statements of ever new texts are answered, and leave no more than 500 prepared', async () => {
  for (let length = 1; length <= 520; length += 1) {
    const list = Prisma.join(Array.from({ length }, (_, index) => index));
    const [row] = await db.$queryRaw<
      [{ most: number }]
    >`SELECT max(n)::int AS most FROM unnest(ARRAY[${list}]::int[]) n`;
    expect(row.most).toBe(length - 1);
  }
  expect((await plans()).length).toBeLessThanOrEqual(500);
});

test('a table that gains a column under way answers as before', async () => {
  await due('open');
  expect(await db.invoice.findMany()).toEqual([]);
  await database.db.$executeRaw`ALTER TABLE invoice ADD COLUMN something text`;
  expect(await due('open')).toEqual([]);
  expect(await db.invoice.findMany()).toEqual([]);
  await database.db.$executeRaw`ALTER TABLE invoice DROP COLUMN something`;
  expect(await due('open')).toEqual([]);
});

test.each([
  { url: '', connections: undefined, most: 10 },
  { url: '', connections: 20, most: 20 },
  { url: '?connection_limit=3', connections: undefined, most: 3 },
  { url: '?connection_limit=30', connections: undefined, most: 30 },
  { url: '?connection_limit=3', connections: 2, most: 2 },
  { url: '?connection_limit=1', connections: 2, most: 1 },
])('a URL that ends in "$url", for one who asks for $connections: $most connections at most', async (given) => {
  const who = 'maedal/crowd';
  const crowd = openDb({
    url: `${database.url}${given.url}`,
    who,
    ...(given.connections === undefined ? {} : { connections: given.connections }),
  });
  await Promise.all(Array.from({ length: 40 }, () => crowd.$queryRaw`SELECT pg_sleep(0.02)::text`));
  const [row] = await db.$queryRaw<[{ open: number }]>`
    SELECT count(*)::int AS open FROM pg_stat_activity WHERE application_name = ${who}`;
  expect(row.open).toBe(given.most);
  await crowd.$disconnect();
});
