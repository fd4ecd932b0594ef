import { afterEach, expect, test } from '@jest/globals';
import { parseInvoiceId } from '../../src/billing/ids.ts';
import { orderIntervention } from '../../src/operator/intervene.ts';
import { tick } from '../../src/scheduler/tick.ts';
import { CHANNEL, FINGERPRINT, invoicesOf, newWorld, type World } from '../support/world.ts';

let world: World;
afterEach(() => world.end());

test('of a customer’s missed periods one is charged a day, also when the workers were away longer than the spacing', async () => {
  world = await newWorld('all');
  const subscription = await world.subscribe({ interval: 'day' });
  await world.advance({ days: 4 });
  for (let ticks = 0; ticks < 5; ticks += 1) await tick({ ...world.scheduler, ring: async () => undefined });
  await world.database.db.$executeRaw`UPDATE subscription SET next_due_at = next_due_at + interval '60 days'`;
  await world.advance({ days: 6 });
  const chargedOn: number[] = [];
  for (let hours = 0; hours <= 6 * 24; hours += 6) {
    const before = world.gateway.captures.length;
    await world.run();
    for (let more = before; more < world.gateway.captures.length; more += 1) chargedOn.push(hours / 24);
    await world.advance({ hours: 6 });
  }
  const invoices = await invoicesOf(world, subscription);
  expect(invoices.map((invoice) => invoice.state)).toEqual(invoices.map(() => 'paid'));
  expect(chargedOn).toEqual(invoices.map((_, day) => day));
});

test.each([
  ['one of them', 60],
  ['both', 84],
])('of two daily subscriptions of one customer %s missed days, and fall behind no further', async (_, hours) => {
  world = await newWorld('all');
  for (const externalId of ['a', 'b']) await world.subscribe({ externalId, customer: 'one', interval: 'day' });
  await world.run();
  await world.advance({ hours });
  const waiting: number[] = [];
  for (let quarter = 1; quarter <= 80; quarter += 1) {
    for (let ticks = 0; ticks < 2; ticks += 1) await world.run();
    if (quarter % 20 === 0) waiting.push(await world.database.db.invoice.count({ where: { state: 'open' } }));
    await world.advance({ hours: 6 });
  }
  expect(waiting).toEqual(waiting.map(() => waiting[0]));
  expect(await world.database.db.invoice.count({ where: { state: 'paid' } })).toBe(world.gateway.captures.length);
});

test('a period on time that waited behind missed ones goes at once when a person says so', async () => {
  world = await newWorld('all');
  for (const externalId of ['a', 'b']) await world.subscribe({ externalId, customer: 'one', interval: 'day' });
  await world.run();
  await world.advance({ hours: 60 });
  await ticks(3);
  const waits = { state: 'open', reason: 'catch_up', spaced: false } as const;
  const { db } = world.database;
  const onTime = await db.invoice.findFirstOrThrow({ where: waits });
  await order(onTime.id, 'retry');
  await world.run();
  expect(await db.invoice.findUniqueOrThrow({ where: { id: onTime.id } })).toMatchObject({ state: 'paid' });
});

test('of missed periods that a person releases at once one is charged a day', async () => {
  world = await newWorld('hold');
  await world.subscribe({ interval: 'day' });
  await world.advance({ hours: 60 });
  await ticks(3);
  const { db } = world.database;
  const held = await db.invoice.findMany({ where: { state: 'held' } });
  for (const { id } of held) await order(id, 'release');
  const paid = { id: { in: held.map(({ id }) => id) }, state: 'paid' };
  for (let hours = 0; hours < 24 * held.length; hours += 6) {
    await world.run();
    expect(await db.invoice.count({ where: paid })).toBe(1 + Math.floor(hours / 24));
    await world.advance({ hours: 6 });
  }
  expect(held.length).toBeGreaterThan(1);
});

async function ticks(count: number): Promise<void> {
  for (let ticked = 0; ticked < count; ticked += 1) {
    await world.run();
    await world.advance({ minutes: 1 });
  }
}

async function order(id: string, intervention: 'retry' | 'release'): Promise<void> {
  const deps = { db: world.database.db, fingerprint: FINGERPRINT, channel: () => CHANNEL };
  await orderIntervention(deps, parseInvoiceId(id), intervention, { actor: 'kim@host', reason: 'they called' });
}

test('a customer with several subscriptions on time is billed for all of them in one tick', async () => {
  world = await newWorld('all');
  for (const number of [1, 2, 3]) await world.subscribe({ externalId: `sub-${number}`, customer: 'one' });
  await world.run();
  expect(world.gateway.captures).toHaveLength(3);
});

test('a database clock that ran ahead and was set back does not keep periods from being drawn up', async () => {
  world = await newWorld();
  const subscription = await world.subscribe();
  await world.run();
  await world.advance({ days: 28 + 365 });
  await world.run();
  await world.advance({ days: -365 + 31 });
  await world.run();
  expect((await invoicesOf(world, subscription)).map((invoice) => invoice.period_key)).toContain('2027-03-31');
});

test('of a fixed term that ended in an outage, `latest` charges the last period and holds the others', async () => {
  world = await newWorld();
  const subscription = await world.subscribe({ endsAfter: 3 });
  await world.run();
  await world.advance({ days: 120 });
  await ticks(3);
  const invoices = (await invoicesOf(world, subscription)).map(({ period_key, state }) => [period_key, state]);
  expect(invoices).toEqual([
    ['2027-01-31', 'paid'],
    ['2027-02-28', 'held'],
    ['2027-03-31', 'paid'],
  ]);
});

test('a subscription does not end while one of its invoices waits for a person', async () => {
  world = await newWorld();
  const subscription = await world.subscribe({ endsAfter: 1 });
  world.gateway.script(`card of ${subscription}`, 'pay-less');
  await world.run();
  await world.advance({ days: 40 });
  await world.run();
  expect(await world.database.db.subscription.findFirst()).toMatchObject({ status: 'active' });
});
