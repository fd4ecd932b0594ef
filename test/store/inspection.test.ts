import { expect, test } from '@jest/globals';
import { openDb } from '../../src/store/db.ts';
import { inspectDatabase, inspectStanding } from '../../src/store/inspection.ts';
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

test('names of policies and channels that the configuration lacks are counted, and the shortest period found, canceled subscriptions left out', async () => {
  const { db, drop } = await freshDatabase();
  for (const name of ['a', 'b', 'c', 'd']) await addSubscription(db, name);
  await db.$executeRaw`UPDATE subscription SET policy = 'gone' WHERE external_id IN ('a', 'b', 'c')`;
  await db.$executeRaw`UPDATE subscription SET channel = 'closed' WHERE external_id = 'a'`;
  await db.$executeRaw`UPDATE subscription SET status = 'canceled', canceled_at = maedal_now() WHERE external_id = 'c'`;
  const identity = { fingerprint: 'ours', needsAdoption: false };
  await db.$executeRaw`UPDATE subscription SET "interval" = 'week', interval_count = 3 WHERE external_id = 'b'`;
  await db.$executeRaw`UPDATE subscription SET "interval" = 'day', interval_count = 2 WHERE external_id = 'c'`;
  const { missing, shortestDays } = await inspectStanding(db, identity, {
    ...{ policies: ['default'], channels: ['default', 'other'], told: [] },
  });
  expect(missing).toEqual([
    { kind: 'channel', name: 'closed', subscriptions: 1 },
    { kind: 'policy', name: 'gone', subscriptions: 2 },
  ]);
  expect(shortestDays).toBe(21);
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
