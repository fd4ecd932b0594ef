import { expect, test } from '@jest/globals';
import { openDb } from '../../src/store/db.ts';
import { inspectDatabase } from '../../src/store/inspection.ts';
import { addSubscription } from '../operator/rows.ts';
import { emptyDatabase, freshDatabase } from '../support/database.ts';

test('a migrated database tells its version, its clock and what PortOne said of the cards', async () => {
  const { db, url, drop } = await freshDatabase();
  for (const [name, sandbox] of [
    ['a', true],
    ['b', true],
    ['c', false],
    ['d', null],
  ] as const) {
    const { billingKeyId } = await addSubscription(db, name);
    await db.billing_key.update({ where: { id: billingKeyId }, data: { sandbox } });
  }
  expect(await inspectDatabase(db, url)).toEqual({
    version: expect.stringMatching(/^\d+/),
    nowMs: expect.any(Number),
    pendingMigrations: [],
    keys: { sandbox: 2, live: 1 },
  });
  await drop();
});

test('an empty database tells what it lacks', async () => {
  const { url, drop } = await emptyDatabase();
  const db = openDb({ url, who: 'maedal/test' });
  const facts = await inspectDatabase(db, url);
  expect(facts.pendingMigrations.length).toBeGreaterThan(1);
  expect(facts.keys).toBeNull();
  await db.$disconnect();
  await drop();
});

test('a database that is away is an error', async () => {
  const url = 'postgresql://127.0.0.1:1/maedal';
  const db = openDb({ url, who: 'maedal/test' });
  await expect(inspectDatabase(db, url)).rejects.toThrow();
  await db.$disconnect();
});
