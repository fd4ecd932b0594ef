import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { accountCaptures } from '../../src/scheduler/account-captures.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';
import { type Door, openDoor } from './door.ts';

let world: World;
let door: Door;
let subscription: string;
beforeEach(async () => {
  world = await newWorld();
  door = await openDoor(world);
  subscription = await world.subscribe();
});
afterEach(async () => {
  await door.app.close();
  await world.end();
});

const card = () => `card of ${subscription}`;
const attempts = async () => (await invoiceOf(world, subscription)).attempts;
const uidOf = async (number: number) => (await attempts())[number - 1]?.merchant_uid ?? '';
const told = () => world.events.flatMap((event) => (event.kind === 'capture.accounted' ? [event.as] : []));

/** A webhook comes, is followed, and what it led to is accounted for. */
async function hears(merchantUid: string, status: string, impUid = 'imps_of_nobody'): Promise<void> {
  expect((await door.say({ imp_uid: impUid, merchant_uid: merchantUid, status })).statusCode).toBe(200);
  await door.follow();
  await accountCaptures(world.scheduler);
}

/** Everything about money, and when it was last written. */
async function money(): Promise<unknown> {
  const { db } = world.database;
  return [
    await db.invoice.findMany({ include: { attempts: true }, orderBy: { id: 'asc' } }),
    await db.subscription.findMany({ orderBy: { id: 'asc' } }),
    await db.refund.findMany(),
    await db.outbox.findMany({ orderBy: { id: 'asc' } }),
  ];
}

test('a webhook that says paid for an attempt that was declined settles the invoice, and its retry is never made', async () => {
  world.gateway.script(card(), 'decline');
  await world.run();
  world.gateway.land(await uidOf(1), 'paid');
  await hears(await uidOf(1), 'paid');
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid', next_at: null });
  await world.advance({ days: 2 });
  await world.run();
  expect(world.gateway.posts).toHaveLength(1);
  expect(told()).toEqual(['settled']);
});

test('a webhook that says paid for a declined attempt whose retry was captured meanwhile raises the alarm of a double', async () => {
  world.gateway.script(card(), 'decline');
  await world.run();
  await world.advance({ days: 1 });
  await world.run();
  world.gateway.land(await uidOf(1), 'paid');
  await hears(await uidOf(1), 'paid');
  expect(told()).toEqual(['doubled']);
  expect(await world.database.db.refund.findMany()).toMatchObject([{ state: 'prepared', next_at: null }]);
  expect(await world.database.db.outbox.count({ where: { kind: 'charge.doubled' } })).toBe(1);
});

test('a webhook that comes before our own answer changes nothing about it, and the look-up is the same fact twice (V1)', async () => {
  const { charge } = world.gateway;
  world.gateway.charge = async (request) => {
    const answer = await charge.call(world.gateway, request);
    await hears(request.merchantUid, 'paid');
    return answer;
  };
  await world.run();
  expect(await attempts()).toMatchObject([{ state: 'paid', send_count: 1 }]);
  expect(await world.database.db.observation.findMany()).toMatchObject([{ status: 'paid', learnt_by: 'webhook' }]);
  expect(await world.database.db.outbox.count({ where: { kind: 'invoice.paid' } })).toBeLessThanOrEqual(1);
});

test('a charge whose answer was lost is settled by its webhook at once, not by the next rung of the ladder', async () => {
  world.gateway.script(card(), 'capture-silently');
  await world.run();
  await hears(await uidOf(1), 'paid');
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('a webhook that never comes costs time alone: the ladder finds the capture (V2)', async () => {
  world.gateway.script(card(), 'capture-silently');
  await world.run();
  await world.advance({ seconds: 5 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test.each(['paid', 'failed', 'cancelled', 'ready', 'refunded'])(
  'a forged %s has no effect but one look-up, whatever the charge has come to (T-11 81, W5)',
  async (status) => {
    world.gateway.script(card(), 'decline');
    const other = await world.subscribe();
    await world.run();
    const declined = await uidOf(1);
    const paid = (await invoiceOf(world, other)).attempts[0];
    const before = await money();
    for (const uid of [declined, paid?.merchant_uid ?? '']) await hears(uid, status, paid?.imp_uid ?? '');
    expect(await money()).toEqual(before);
    expect(door.lookUps).toHaveLength(2);
  },
);

test('a late cancelled or failed does not turn what is paid back into what it was (T-11 78)', async () => {
  await world.run();
  const uid = await uidOf(1);
  const before = await money();
  for (const status of ['failed', 'cancelled', 'ready', 'paid']) {
    await hears(uid, status, 'imps_000000000001');
    await world.advance({ seconds: 10 });
  }
  expect(await money()).toEqual(before);
});

test.each([
  ['paid', 'cancelled'],
  ['cancelled', 'paid'],
  ['cancelled', 'paid', 'paid', 'cancelled', 'failed'],
])('webhooks that come as %s %s lead to the same end (T-11 79, W6)', async (...statuses) => {
  world.gateway.script(card(), 'capture-silently');
  await world.run();
  world.gateway.land(await uidOf(1), 'cancelled');
  for (const status of statuses) {
    await hears(await uidOf(1), status);
    await world.advance({ seconds: 10 });
  }
  await world.run();
  await world.advance({ minutes: 1 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'review', attempts: [{ send_count: 1 }] });
  expect(await world.database.db.observation.findMany()).toMatchObject([{ status: 'cancelled' }]);
});

test('a webhook that says paid for an attempt that was never sent is looked up, and found to be nothing', async () => {
  world.gateway.readiness = { kind: 'unreachable', reason: 'down' };
  await world.run();
  await hears(await uidOf(1), 'paid');
  expect(await attempts()).toMatchObject([{ state: 'prepared', send_count: 0 }]);
});

test('ten thousand forged webhooks while charges run change nothing, and the gateway is asked within the bound', async () => {
  world.gateway.script(card(), 'decline');
  for (let count = 0; count < 5; count += 1) await world.subscribe();
  await world.run();
  const known = await world.database.db.attempt.findMany();
  const forged = Array.from({ length: 10_000 }, (_, index) =>
    index % 2 === 0 ? (known[index % known.length]?.merchant_uid ?? '') : `forged-${index}`,
  );
  for (let count = 0; count < 10; count += 1) await world.subscribe();
  const burst = Promise.all(
    forged.map((uid) => door.say({ imp_uid: 'imps_1', merchant_uid: uid, status: 'cancelled' })),
  );
  await Promise.all([world.run(), door.follow()]);
  const answers = new Set((await burst).map(({ statusCode }) => statusCode));
  await door.follow();
  await accountCaptures(world.scheduler);
  expect(await world.database.db.attempt.findMany({ where: { id: { in: known.map(({ id }) => id) } } })).toEqual(known);
  expect(await world.database.db.invoice.count({ where: { state: 'paid' } })).toBe(15);
  expect(world.gateway.posts).toHaveLength(16);
  expect(told()).toEqual([]);
  expect(door.lookUps.length).toBeLessThanOrEqual(known.length);
  expect([...answers].filter((status) => status !== 503)).toEqual([200]); // 503: more at once than are taken
  expect(await world.database.db.hint.count()).toBeLessThanOrEqual(known.length + 100);
});
