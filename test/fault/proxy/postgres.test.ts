import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { type Db, openDb } from '../../../src/store/db.ts';
import { emptyDatabase } from '../../support/database.ts';
import { FaultProxy } from './fault-proxy.ts';

let database: Awaited<ReturnType<typeof emptyDatabase>>;
let direct: Client;
let proxy: FaultProxy;
let client: Client;
let prisma: Db;

beforeAll(async () => {
  database = await emptyDatabase();
  direct = new Client({ connectionString: database.url });
  await direct.connect();
  await direct.query('CREATE TABLE noted (what text)');
});
beforeEach(async () => {
  await direct.query('TRUNCATE noted');
  proxy = await FaultProxy.start({ upstream: database.url, wire: 'postgres' });
  client = await connected();
  prisma = openDb({ url: proxy.url, who: 'maedal/test', connections: 1 });
});
afterEach(async () => {
  await client.end();
  await prisma.$disconnect();
  await proxy.close();
});
afterAll(async () => {
  await direct.end();
  await database.drop();
});

test('without a fault everything passes as it is, long rows and failures too', async () => {
  const long = '가'.repeat(300_000);
  expect((await client.query('SELECT $1::text AS it', [long])).rows).toEqual([{ it: long }]);
  await expect(client.query('SELECT nothing')).rejects.toThrow('column "nothing" does not exist');
  await client.query('BEGIN; CREATE TEMP TABLE passing (n int); COMMIT');
  const tagged = await prisma.$queryRaw`SELECT ${1}::int AS one`;
  expect(tagged).toEqual([{ one: 1 }]);
  expect(proxy.counts).toEqual({});
});

test('a notification reaches whoever listens, with no request open', async () => {
  await client.query('LISTEN doorbell');
  const heard = new Promise((resolve) => client.once('notification', ({ payload }) => resolve(payload)));
  await direct.query(`NOTIFY doorbell, 'rung'`);
  expect(await heard).toBe('rung');
});

test.each([
  ['with parameters', () => client.query('INSERT INTO noted VALUES ($1)', ['a row'])],
  ['as plain text', () => client.query(`INSERT INTO noted VALUES ('a row')`)],
  ['by the name of a prepared statement', () => client.query({ name: 'note', text: NOTE, values: ['a row'] })],
  ['by Prisma', () => prisma.$executeRaw`INSERT   INTO noted VALUES (${'a row'})`],
])('swallowing the reply to a statement sent %s: the client sees an error, and the row is there', async (_, insert) => {
  const armed = proxy.arm({ kind: 'swallow-reply', match: /^INSERT INTO noted/ });
  const struck = armed.next();
  await expect(insert()).rejects.toThrow();
  expect(await struck).toMatchObject({ kind: 'swallow-reply', subject: expect.stringMatching(/^INSERT INTO noted/) });
  expect(await noted()).toEqual(['a row']);
});

test('a statement prepared long before is matched when only its name travels', async () => {
  await client.query({ name: 'note', text: NOTE, values: ['first'] });
  proxy.arm({ kind: 'swallow-reply', match: /^INSERT INTO noted/ });
  await expect(client.query({ name: 'note', text: NOTE, values: ['second'] })).rejects.toThrow();
  expect(await noted()).toEqual(['first', 'second']);
});

test('swallowing the reply to COMMIT: an error, and the whole transaction is there', async () => {
  await client.query('BEGIN');
  await client.query(NOTE, ['in a transaction']);
  proxy.arm({ kind: 'swallow-reply', match: /^COMMIT$/ });
  await expect(client.query('COMMIT')).rejects.toThrow();
  expect(await noted()).toEqual(['in a transaction']);
});

test('a reply is swallowed when it is whole, never before: until then the client waits', async () => {
  await direct.query('SELECT pg_advisory_lock(1)');
  const armed = proxy.arm({ kind: 'swallow-reply', match: /advisory/ });
  const long = `SELECT repeat('x', 100000), CASE n WHEN 9 THEN pg_advisory_xact_lock(1) END FROM generate_series(1, 9) n`;
  const call = client.query(long).catch(() => 'cut');
  await until(`SELECT count(*)::int AS it FROM pg_stat_activity WHERE wait_event = 'advisory'`, 1);
  expect([armed.fired, await Promise.race([call, Promise.resolve('waiting')])]).toEqual([0, 'waiting']);
  await direct.query('SELECT pg_advisory_unlock(1)');
  expect([await call, armed.fired]).toEqual(['cut', 1]);
});

test.each(['cut-before-request', 'cut-in-request'] as const)('%s: an error, and no row', async (kind) => {
  const armed = proxy.arm({ kind, match: /INSERT/ });
  await expect(client.query(NOTE, ['a row'])).rejects.toThrow();
  await serversLeft(1); // Prisma has not connected, so only our direct one
  expect([armed.fired, await noted()]).toEqual([1, []]);
});

test.each(['cut-after-request', 'cut-in-reply'] as const)('%s: an error, and the row is there', async (kind) => {
  proxy.arm({ kind, match: /INSERT/ });
  await expect(client.query(NOTE, ['a row'])).rejects.toThrow();
  await serversLeft(1);
  expect(await noted()).toEqual(['a row']);
});

test('a fault strikes only what it is armed for, as often as it is told', async () => {
  const armed = proxy.arm({ kind: 'swallow-reply', match: /UPDATE noted/, times: 2 });
  await client.query(NOTE, ['a row']);
  for (const what of ['once', 'twice']) {
    const another = await connected();
    await expect(another.query('UPDATE noted SET what = $1', [what])).rejects.toThrow();
  }
  await client.query('UPDATE noted SET what = $1', ['thrice']);
  expect([armed.fired, proxy.counts, await noted()]).toEqual([2, { 'swallow-reply': 2 }, ['thrice']]);
});

test('sliced to single bytes, a question and its answer still arrive', async () => {
  const armed = proxy.arm({ kind: 'slow', sliceBytes: 1, match: /INSERT/ });
  await client.query(NOTE, ['a row, byte by byte']);
  expect([armed.fired, await noted()]).toEqual([1, ['a row, byte by byte']]);
});

test('a session can be struck while it starts', async () => {
  proxy.arm({ kind: 'swallow-reply', match: /^startup$/ });
  await expect(connected()).rejects.toThrow();
});

async function connected(): Promise<Client> {
  const made = new Client({ connectionString: proxy.url });
  made.on('error', () => undefined); // the query in hand rejects with the same
  await made.connect();
  return made;
}

async function noted(): Promise<string[]> {
  const { rows } = await direct.query<{ what: string }>('SELECT what FROM noted');
  return rows.map(({ what }) => what);
}

/** Resolves once the server has so many sessions on this database: each ended one has finished its work. */
function serversLeft(count: number): Promise<void> {
  return until('SELECT count(*)::int AS it FROM pg_stat_activity WHERE datname = current_database()', count);
}

/** The server's own view of itself sends no event: it is asked until it says so. */
async function until(question: string, answer: number): Promise<void> {
  for (;;) {
    const { rows } = await direct.query<{ it: number }>(question);
    if (rows[0]?.it === answer) return;
  }
}

const NOTE = 'INSERT INTO noted VALUES ($1)';
