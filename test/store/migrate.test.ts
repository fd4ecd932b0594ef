import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { openDb } from '../../src/store/db.ts';
import { migrate, pending } from '../../src/store/migrate.ts';
import { emptyDatabase } from '../support/database.ts';
import { ask, columns, keys, protections } from './catalog.ts';
import { type PrismaEngine, prismaEngine } from './prisma-engine.ts';

const NAMES = readdirSync('prisma/migrations').filter((name) => /^\d{14}_/.test(name));
const [FIRST = '', SECOND = ''] = NAMES;

let database: Awaited<ReturnType<typeof emptyDatabase>>;
let url: string;

beforeEach(async () => {
  database = await emptyDatabase();
  url = database.url;
});
afterEach(() => database.drop());

test('an empty database gets every migration, in the order of their names; a second run applies nothing', async () => {
  expect(await pending(url)).toEqual(NAMES);
  expect(await ask(url, `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace`)).toEqual([]);
  expect(await migrate(url)).toEqual(NAMES);
  expect(await migrate(url)).toEqual([]);
  expect(await pending(url)).toEqual([]);
});

test('of five that migrate at once, one applies and the others find it done', async () => {
  const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(url)));
  expect(applied.filter((names) => names.length > 0)).toEqual([NAMES]);
  expect(await ask(url, 'SELECT migration_name AS name FROM _prisma_migrations ORDER BY started_at')).toEqual(
    NAMES.map((name) => ({ name })),
  );
});

test.each([
  [
    'was changed after it had been applied',
    `UPDATE _prisma_migrations SET checksum = repeat('0', 64) WHERE migration_name = '${FIRST}'`,
    `migration ${FIRST} was changed after it had been applied`,
  ],
  [
    'is of a newer maedal',
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at)
     VALUES ('1', repeat('0', 64), '29990101000000_later', now())`,
    'the database has migration 29990101000000_later, which this version of maedal does not know; update maedal',
  ],
  [
    'was begun elsewhere and never finished',
    `UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = '${SECOND}'`,
    `migration ${SECOND} was begun and never finished; see \`prisma migrate resolve\``,
  ],
])('a migration that %s is refused, and nothing is touched', async (_, fault, message) => {
  await migrate(url);
  await ask(url, fault);
  const before = await ask(url, 'SELECT * FROM _prisma_migrations ORDER BY id');
  await expect(pending(url)).rejects.toThrow(message);
  await expect(migrate(url)).rejects.toThrow(message);
  expect(await ask(url, 'SELECT * FROM _prisma_migrations ORDER BY id')).toEqual(before);
});

test('a failed migration that `prisma migrate resolve` marked as rolled back is due again', async () => {
  await migrate(url);
  await ask(
    url,
    `UPDATE _prisma_migrations SET finished_at = NULL, rolled_back_at = now() WHERE migration_name = '${SECOND}'`,
  );
  expect(await pending(url)).toEqual([SECOND]);
});

test('a migration that fails leaves nothing of itself, and can be tried again', async () => {
  await ask(url, 'CREATE TABLE history (somebody_elses integer)'); // the last table of the second migration
  await expect(migrate(url)).rejects.toThrow(`migration ${SECOND} failed and was rolled back`);
  const tables = await ask(
    url,
    `SELECT to_regclass('customer') IS NULL AS first, to_regclass('hint') IS NULL AS second`,
  );
  expect(tables).toEqual([{ first: false, second: true }]);
  expect(await pending(url)).toEqual(NAMES.slice(1));
  await ask(url, 'DROP TABLE history');
  expect(await migrate(url)).toEqual(NAMES.slice(1));
});

test('a server that ends the session in the middle is an error, and nothing is left of the migration', async () => {
  await ask(
    url,
    `CREATE FUNCTION end_session() RETURNS event_trigger LANGUAGE plpgsql
                    AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END';
                  CREATE EVENT TRIGGER fault ON ddl_command_end WHEN TAG IN ('CREATE TRIGGER') EXECUTE FUNCTION end_session()`,
  );
  await expect(migrate(url)).rejects.toThrow();
  await ask(url, 'DROP EVENT TRIGGER fault; DROP FUNCTION end_session()');
  expect(await migrate(url)).toEqual(NAMES.slice(1));
});

test("a database that maedal migrated is complete for Prisma's engine", async () => {
  await migrate(url);
  await withEngine(url, async (engine) => expect(await engine.applyMigrations()).toEqual([]));
});

test("a database that Prisma's engine migrated is complete for maedal, and the same in every column and constraint", async () => {
  const theirs = await emptyDatabase();
  await withEngine(theirs.url, async (engine) => expect(await engine.applyMigrations()).toEqual(NAMES));
  expect(await pending(theirs.url)).toEqual([]);
  expect(await migrate(theirs.url)).toEqual([]);
  await migrate(url);
  expect(await columns(url)).toEqual(await columns(theirs.url));
  expect(await protections(url)).toEqual(await protections(theirs.url));
  const ledger = `SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns
                   WHERE table_name = '_prisma_migrations' ORDER BY ordinal_position`;
  expect(await ask(url, ledger)).toEqual(await ask(theirs.url, ledger));
  await theirs.drop();
});

test('the Prisma schema names every table, column, key and reference as the migrations make them', async () => {
  await migrate(url);
  const fromSchema = await emptyDatabase();
  await ask(fromSchema.url, `CREATE FUNCTION maedal_now() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'`);
  await withEngine(url, async (engine) => ask(fromSchema.url, await engine.schemaSql()));
  const shape = async (of: string) =>
    (await columns(of)).map(({ table, column, type, required }) => {
      const precise = String(type).replace('(6)', ''); // PostgreSQL's own default
      const isList = precise.endsWith('[]'); // of which Prisma cannot say NOT NULL
      return `${table}.${column} ${precise}${required === true && !isList ? ' NOT NULL' : ''}`;
    });
  expect(await shape(fromSchema.url)).toEqual(await shape(url));
  expect(await keys(fromSchema.url)).toEqual(await keys(url));
  await fromSchema.drop();
});

test('every model can be read through the generated client', async () => {
  await migrate(url);
  const db = openDb({ url, who: 'maedal/test' });
  const models = readdirSync('prisma/schema').flatMap((file) =>
    [...readFileSync(`prisma/schema/${file}`, 'utf8').matchAll(/^model (\w+)/gm)].map(([, name]) => name),
  );
  expect(models.toSorted()).toEqual([...new Set((await columns(url)).map(({ table }) => table))].toSorted());
  for (const model of models) {
    const delegate: unknown = Reflect.get(db, model ?? '');
    const findFirst: unknown = Reflect.get(Object(delegate), 'findFirst');
    if (typeof findFirst !== 'function') throw new Error(`the client has no model ${model}`);
    const row: unknown = await Reflect.apply(findFirst, delegate, []);
    expect({ model, row }).toEqual({
      model,
      row: /^(control|event_turn)$/.test(model ?? '') ? expect.objectContaining({ id: 1 }) : null,
    });
  }
  await db.$disconnect();
});

test('`maedal_now()` is STABLE, so that an index serves what is due', async () => {
  await migrate(url);
  expect(await ask(url, `SELECT provolatile AS is FROM pg_proc WHERE proname = 'maedal_now'`)).toEqual([{ is: 's' }]);
  await ask(url, FILL);
  const plan = async (sql: string) => JSON.stringify(await ask(url, `EXPLAIN ${sql}`));
  expect(
    await plan(`SELECT id FROM invoice WHERE state IN ('open', 'retrying') AND next_at <= maedal_now()
                 ORDER BY next_at, id LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED`),
  ).toContain('Index Scan using invoice_due');
  expect(
    await plan(`SELECT id FROM subscription WHERE status IN ('trialing', 'active', 'past_due')
                   AND next_due_at <= maedal_now() ORDER BY next_due_at, id LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED`),
  ).toContain('Index Scan using subscription_due');
});

test('instants are read right in a database whose own zone is Asia/Seoul, and written right', async () => {
  await migrate(url);
  await ask(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET TimeZone = 'Asia/Seoul'`);
  expect(await ask(url, `SELECT current_setting('TimeZone') AS zone`)).toEqual([{ zone: 'Asia/Seoul' }]);
  const createdAt = DateTime.fromISO('2027-01-31T01:00:00.123Z').toJSDate();
  const db = openDb({ url, who: 'maedal/test' });
  await db.customer.create({ data: { external_id: 'by the client', created_at: createdAt } });
  await db.$executeRaw`INSERT INTO customer (external_id, created_at) VALUES ('by SQL', ${createdAt})`;
  const rows = await db.customer.findMany({ where: { created_at: createdAt } });
  expect(rows.map((row) => row.created_at)).toEqual([createdAt, createdAt]);
  expect(await db.$queryRaw`SELECT DISTINCT created_at FROM customer`).toEqual([{ created_at: createdAt }]);
  await db.$disconnect();
  expect(await ask(url, 'SELECT DISTINCT created_at::text AS at FROM customer')).toEqual([
    { at: '2027-01-31 10:00:00.123+09' },
  ]);
});

async function withEngine(of: string, work: (engine: PrismaEngine) => Promise<unknown>): Promise<void> {
  const engine = await prismaEngine(of);
  try {
    await work(engine);
  } finally {
    await engine.close();
  }
}

/** 5,000 subscriptions and invoices, of which a hundred are due. */
const FILL = `
INSERT INTO customer (external_id) VALUES ('one');
INSERT INTO billing_key (customer_id, customer_uid) SELECT id, 'card' FROM customer;
INSERT INTO policy_version (id, policy) VALUES ('test', '{}');
INSERT INTO subscription (external_id, customer_id, billing_key_id, name, amount, currency, "interval", interval_count,
                          anchor_local, timezone, status, next_period, next_due_at)
SELECT 'sub-' || n, b.customer_id, b.id, '원두 구독', 9900, 'KRW', 'month', 1, '2027-01-31T10:00:00', 'Asia/Seoul',
       'active', 1, maedal_now() + (n - 100) * interval '1 minute' FROM billing_key b, generate_series(1, 5000) AS n;
INSERT INTO invoice (subscription_id, period_key, period_index, period_start, period_end, due_at, amount, currency, name,
                     state, next_at, policy_version_id)
SELECT id, '2027-01-31', 0, next_due_at, next_due_at + interval '1 month', next_due_at, amount, currency, name, 'open',
       next_due_at, 'test' FROM subscription;
ANALYZE`;
