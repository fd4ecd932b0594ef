import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { databaseIsAway } from '../../src/store/away.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

/** From now on these writes fail as on a full disk (53100); every row is read as before. */
async function fill(...writes: readonly (readonly [table: string, when: string])[]): Promise<void> {
  const { db } = world.database;
  await db.$executeRawUnsafe(`CREATE OR REPLACE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$`);
  for (const [table, when] of writes) {
    await db.$executeRawUnsafe(`CREATE TRIGGER full_${table} BEFORE INSERT OR UPDATE ON ${table}
      FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION disk_full()`);
  }
}

async function makeRoom(): Promise<void> {
  await world.database.db.$executeRawUnsafe('DROP FUNCTION disk_full CASCADE');
}

/** A pass that the full disk ends; it is told as an outage and not as a bug. */
async function runIntoTheFullDisk(): Promise<void> {
  const thrown = await world.run().then(
    () => null,
    (error: unknown) => error,
  );
  expect(String(thrown)).toContain('No space left on device');
  expect(databaseIsAway(thrown)).toBe(true);
}

test('on a full disk no intent is written, so nothing is sent; once there is room it is charged once', async () => {
  const subscription = await world.subscribe();
  await fill(['attempt', `NEW.state = 'sent'`]);
  await runIntoTheFullDisk();
  expect(world.gateway.posts).toEqual([]);
  await world.advance({ minutes: 3 }); // the lease is over, and it is rung again
  await runIntoTheFullDisk();
  expect(world.gateway.posts).toEqual([]);
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([{ state: 'prepared', send_count: 0 }]);
  await makeRoom();
  await world.advance({ minutes: 3 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid', attempts: [{ send_count: 1 }] });
  expect(world.gateway.posts).toHaveLength(1);
});

test.each([
  ['the record', [['attempt', `NEW.state NOT IN ('prepared', 'sent')`]]],
  [
    'the answer and its record',
    [
      ['attempt', `NEW.state NOT IN ('prepared', 'sent')`],
      ['observation', 'true'],
    ],
  ],
] as const)(
  'where the full disk refuses %s, the capture is looked up once there is room, and never repeated',
  async (_, writes) => {
    const subscription = await world.subscribe();
    await fill(...writes);
    await runIntoTheFullDisk();
    expect(world.gateway.captures).toHaveLength(1);
    expect((await invoiceOf(world, subscription)).attempts).toMatchObject([{ state: 'sent' }]);
    await makeRoom();
    await world.advance({ minutes: 3 }); // the lease is over: nobody waits for an answer any more
    await world.run();
    await world.advance({ minutes: 1 });
    await world.run();
    expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid', attempts: [{ send_count: 1 }] });
    expect(world.gateway.posts).toHaveLength(1);
  },
);
