import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import type { Db } from '../../src/store/db.ts';
import {
  beginImport,
  endStaging,
  findConflicts,
  finishImport,
  previewImport,
  type StagedRow,
  stagedTestCards,
  stageRows,
} from '../../src/store/import.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let db: Db;
beforeAll(async () => {
  database = await freshDatabase();
  db = database.db;
});
beforeEach(() => db.$executeRaw`TRUNCATE customer, billing_key, subscription, import_row CASCADE`);
afterAll(() => database.drop());

function row(number: number, changes: Partial<StagedRow> = {}): StagedRow {
  return {
    line: number + 1,
    note: '',
    externalId: `sub-${number}`,
    customer: { id: `cust-${number}`, name: null, email: null, tel: null },
    keys: [`card-${number}`],
    channel: 'default',
    testCard: null,
    imported: { subscription_id: `sub-${number}` },
    subscription: {
      plan: null,
      name: 'Coffee',
      amount: 9_900,
      currency: 'KRW',
      interval: 'month',
      intervalCount: 1,
      anchorLocal: '2027-01-31T10:00:00',
      timezone: 'Asia/Seoul',
      trialUntil: null,
      endsAfter: null,
      billedThrough: null,
      policy: 'default',
      status: 'active',
      firstPeriod: 0,
      nextPeriod: 0,
      nextDueAt: DateTime.fromISO('2027-01-31T01:00:00Z'),
    },
    ...changes,
  };
}

async function stage(...rows: StagedRow[]): Promise<string> {
  const { id } = await beginImport(db);
  await stageRows(db, id, 1, rows);
  return id;
}

test('the clock of an import is the database’s', async () => {
  await database.setNow(DateTime.fromISO('2027-01-31T01:00:00Z'));
  expect((await beginImport(db)).now.toISO()).toBe('2027-01-31T01:00:00.000Z');
  await database.setNow(null);
});

test('what an import that died left behind is forgotten a day later', async () => {
  const left = await stage(row(1));
  await beginImport(db);
  expect(await db.import_row.count()).toBe(1);
  await db.$executeRaw`UPDATE import_row SET created_at = maedal_now() - interval '25 hours' WHERE import_id = ${left}::uuid`;
  await beginImport(db);
  expect(await db.import_row.count()).toBe(0);
});

test('an import is planned for as many rows as it has, whatever another one has told the planner before', async () => {
  const rows = (count: number) => Array.from({ length: count }, (_, number) => row(number));
  await stage(...rows(500));
  await endStaging(db);
  const id = await stage(...rows(400));
  await endStaging(db);
  const [explained] = await db.$queryRaw<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }[]>`
    EXPLAIN (FORMAT JSON) SELECT FROM import_row WHERE import_id = ${id}::uuid`;
  expect(explained?.['QUERY PLAN'][0].Plan['Plan Rows']).toBe(400);
});

test('one import sees nothing of what another has staged', async () => {
  const [first, second] = [await stage(row(1)), await stage(row(1), row(2))];
  expect(await findConflicts(db, second, 10)).toEqual({ problems: [], total: 0 });
  expect(await previewImport(db, second)).toEqual({ imported: 2, unchanged: 0, customers: 2 });
  expect(await finishImport(db, second, 2)).toEqual({ imported: 2, unchanged: 0, customers: 2 });
  expect(await finishImport(db, first, 1)).toEqual({ imported: 0, unchanged: 1, customers: 0 });
  expect(await db.import_row.count()).toBe(0);
});

test('a conflict moves nothing and keeps what is staged', async () => {
  const id = await stage(row(1), row(2, { keys: ['card-1'] }));
  expect(await finishImport(db, id, 2)).toBeNull();
  expect([await db.customer.count(), await db.subscription.count(), await db.import_row.count()]).toEqual([0, 0, 2]);
});

test('the first conflicts are told by line, and all of them counted', async () => {
  const id = await stage(
    row(1),
    ...Array.from({ length: 5 }, (_, index) => row(1, { line: 10 - index, note: ' (here)' })),
  );
  const { problems, total } = await findConflicts(db, id, 2);
  expect(total).toBe(5);
  expect(problems.map(({ line }) => line)).toEqual([6, 7]);
  expect(problems[0]?.reason).toMatch(/^subscription_id 'sub-1' is on line 7 \(here\) already \(here\)$/);
});

test.each(['unique_violation', 'deadlock_detected'])(
  'a %s in the middle is a race that was lost, and leaves nothing',
  async (code) => {
    const id = await stage(row(1), row(2));
    await failOnce(code);
    expect(await finishImport(db, id, 2)).toBeNull();
    expect([await db.customer.count(), await db.billing_key.count(), await db.subscription.count()]).toEqual([0, 0, 0]);
    expect(await finishImport(db, id, 2)).toEqual({ imported: 2, unchanged: 0, customers: 2 });
  },
);

test('any other failure is thrown', async () => {
  const id = await stage(row(1));
  await failOnce('check_violation');
  await expect(finishImport(db, id, 1)).rejects.toThrow();
});

test('rows that a crash of the server took from the staged ones are missed: nothing moves', async () => {
  const id = await stage(row(1), row(2), row(3));
  await db.$executeRaw`DELETE FROM import_row WHERE line = 2`; // an unlogged table is empty after a crash
  await expect(finishImport(db, id, 3)).rejects.toThrow('import again');
  expect(await db.subscription.count()).toBe(0);
});

test('test cards of new subscriptions come in pages, in the order of the file', async () => {
  await finishImport(db, await stage(row(2, { testCard: 'approve' })), 1);
  const id = await stage(
    ...[1, 2, 3, 4].map((number) => row(number, { testCard: number === 3 ? null : `card ${number}` })),
  );
  expect(await stagedTestCards(db, id, 0, 1)).toEqual([{ serial: 1, customerUid: 'card-1', card: 'card 1' }]);
  expect(await stagedTestCards(db, id, 1, 5)).toEqual([{ serial: 4, customerUid: 'card-4', card: 'card 4' }]);
});

/** Makes the next insert of a subscription fail with this condition, and those after it succeed. */
async function failOnce(condition: string): Promise<void> {
  await db.$executeRaw`CREATE SEQUENCE IF NOT EXISTS failures`;
  await db.$executeRaw`ALTER SEQUENCE failures RESTART`;
  await db.$executeRawUnsafe(`CREATE OR REPLACE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF nextval('failures') = 1 THEN RAISE EXCEPTION 'once' USING ERRCODE = '${condition}'; END IF; -- outlives the rollback
      RETURN NEW;
    END $$`);
  await db.$executeRaw`CREATE OR REPLACE TRIGGER fail_once BEFORE INSERT ON subscription
    FOR EACH ROW EXECUTE FUNCTION fail_once()`;
}
