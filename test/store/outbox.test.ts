import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openDb } from '../../src/store/db.ts';
import { leaseDeliveries } from '../../src/store/deliveries.ts';
import { takeUpEvents } from '../../src/store/outbox.ts';
import { FINGERPRINT, newWorld, type World } from '../support/world.ts';

let world: World;
const SHOP = { name: 'shop', types: null, address: 'a' };

beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

const take = (limit = 7, db = world.database.db) => takeUpEvents(db, [SHOP], { limit, fingerprint: FINGERPRINT });
async function tell(externalId: string, db = world.database.db): Promise<void> {
  await db.$executeRaw`
    INSERT INTO outbox (kind, subscription_id, payload, next_at)
    SELECT 'charge.failed', id, '{}', maedal_now() FROM subscription WHERE external_id = ${externalId}`;
}

test('numbers have no gap and follow the order of the events, however many tell and take them up at once', async () => {
  const subscriptions = await Promise.all(['a', 'b', 'c'].map((externalId) => world.subscribe({ externalId })));
  const others = Array.from({ length: 4 }, () => openDb({ url: world.database.url, who: 'maedal/test' }));
  const telling = subscriptions.flatMap((externalId) =>
    Array.from({ length: 30 }, (_, index) => tell(externalId, others[index % 2])),
  );
  const taking = others.slice(2).map(async (db) => {
    for (let pass = 0; pass < 20; pass += 1) await take(7, db);
  });
  await Promise.all([...telling, ...taking]);
  while ((await take()) > 0);
  for (const other of others) await other.$disconnect();
  const events = await world.database.db.outbox.findMany({ orderBy: { sequence: 'asc' } });
  for (const id of new Set(events.map(({ subscription_id }) => subscription_id))) {
    const own = events.filter(({ subscription_id }) => subscription_id === id);
    expect(own.map(({ sequence }) => Number(sequence))).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
  }
  expect(await world.database.db.delivery.count()).toBe(90);
});

test('however many workers there are, a delivery is in the hands of one', async () => {
  await world.subscribe({ externalId: 'a' });
  for (const externalId of ['b', 'c', 'd', 'e']) {
    await world.subscribe({ externalId });
    await tell(externalId);
  }
  await take();
  const hold = { limit: 2, leaseSeconds: 60, fingerprint: FINGERPRINT };
  const all = await Promise.all(Array.from({ length: 4 }, () => leaseDeliveries(world.database.db, SHOP, hold)));
  const ids = all.flat().map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBe(4);
});

test("a subscription's status and access are told where they really move", async () => {
  const externalId = await world.subscribe();
  const set = (status: string, access: string) =>
    world.database.db.subscription.update({ where: { external_id: externalId }, data: { status, access } });
  await set('active', 'full');
  await set('past_due', 'grace');
  await set('past_due', 'grace');
  await set('past_due', 'suspended');
  await set('unpaid', 'suspended');
  await set('active', 'full');
  const told = await world.database.db.outbox.findMany({ orderBy: { id: 'asc' } });
  expect(told.map(({ kind, payload }) => [kind, Object(payload).status ?? Object(payload).access])).toEqual([
    ['subscription.became_past_due', 'past_due'],
    ['subscription.access_changed', 'grace'],
    ['subscription.access_changed', 'suspended'],
    ['subscription.became_unpaid', 'unpaid'],
    ['subscription.recovered', 'active'],
    ['subscription.access_changed', 'full'],
  ]);
});
