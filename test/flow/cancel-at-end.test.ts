import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { DunningPolicy } from '../../src/billing/policy.ts';
import type { SubscriptionOrder } from '../../src/billing/subscription-order.ts';
import { orderSubscription } from '../../src/operator/order-subscription.ts';
import { dunned, GIVES_UP } from '../support/dunned.ts';
import { CHANNEL, FINGERPRINT, invoicesOf, newWorld, type World } from '../support/world.ts';

let world: World;
let subscription: string;
beforeEach(async () => {
  world = await newWorld();
  subscription = await world.subscribe();
});
afterEach(() => world.end());

const deps = () => ({
  db: world.database.db,
  fingerprint: FINGERPRINT,
  versions: { default: 'test' },
  channel: () => ({ ...CHANNEL, declinesAreFinal: true }),
});
const order = (wish: SubscriptionOrder) =>
  orderSubscription(deps(), subscription, wish, { actor: 'api', reason: 'by the API' });
const row = () => world.database.db.subscription.findUniqueOrThrow({ where: { external_id: subscription } });
const invoices = async () =>
  (await invoicesOf(world, subscription)).map(({ period_key, state }) => [period_key, state]);

/** Runs the days one by one, as a scheduler does. */
async function days(count: number): Promise<void> {
  for (let day = 0; day < count; day += 1) {
    await world.advance({ days: 1 });
    await world.run();
  }
}

test.each(['keep', 'new'] as const)(
  'resumed (%s), what was cancelled to its end and then paused goes on',
  async (anchor) => {
    await world.run();
    await order({ kind: 'cancel', at: 'period_end' });
    await order({ kind: 'pause' });
    await days(3);
    await order({ kind: 'resume', anchor });
    await days(40);
    expect(await row()).toMatchObject({ status: 'active', cancel_at: null });
    expect(await invoices()).toEqual([
      ['2027-01-31', 'paid'],
      ['2027-02-28', 'paid'],
    ]);
  },
);

test('cancelled to its end, a trial goes on with access, and nothing is charged', async () => {
  subscription = await world.subscribe({ status: 'trialing', anchorLocal: '2027-02-28T10:00:00' });
  await order({ kind: 'cancel', at: 'period_end' });
  await days(27);
  expect(await row()).toMatchObject({ status: 'trialing', access: 'full', cancel_at: expect.any(Date) });
  await days(2);
  expect(await row()).toMatchObject({ status: 'canceled', access: 'suspended' });
  expect(await invoices()).toEqual([]);
});

test('cancelled to its end after a new anchor, a paid period is served', async () => {
  await world.run();
  await order({ kind: 'pause' });
  await order({ kind: 'resume', anchor: 'new' });
  await order({ kind: 'cancel', at: 'period_end' });
  await days(27);
  expect(await row()).toMatchObject({ status: 'active', cancel_at: expect.any(Date) });
  await days(2);
  expect(await row()).toMatchObject({ status: 'canceled' });
  expect(await invoices()).toEqual([['2027-01-31', 'paid']]);
});

test('cancelled to its end before the period that has begun is drawn up, that one is charged, and is the last', async () => {
  await world.run();
  await world.advance({ days: 29 });
  await order({ kind: 'cancel', at: 'period_end' });
  await days(20);
  expect(await row()).toMatchObject({ status: 'active' });
  expect(await invoices()).toEqual([
    ['2027-01-31', 'paid'],
    ['2027-02-28', 'paid'],
  ]);
  await days(20);
  expect(await row()).toMatchObject({ status: 'canceled' });
  expect(await invoices()).toHaveLength(2);
});

test('a cancel that was judged before the next period began and is written as it is drawn up still goes first', async () => {
  await world.run();
  const { store } = world.scheduler;
  const drawUp: typeof store.drawUp = async (due, versions) => {
    if (due.length > 0) await world.database.db.$executeRaw`UPDATE subscription SET cancel_at = next_due_at`;
    return store.drawUp(due, versions);
  };
  Object.assign(world.scheduler, { store: { ...store, drawUp } });
  await days(30);
  expect(await row()).toMatchObject({ status: 'canceled' });
  expect(await invoices()).toEqual([['2027-01-31', 'paid']]);
});

const canceled = async () => {
  const told = await world.database.db.outbox.findMany({ where: { kind: 'subscription.canceled' } });
  return told.map(({ payload }) => Object(payload).subscription_id);
};

/** Given up the day after it was declined, and cancelled to its end in between. */
async function givenUp(policy: DunningPolicy): Promise<void> {
  await dunned(() => world).follow(policy);
  world.gateway.script(`card of ${subscription}`, 'decline', 'decline');
  await world.run();
  await order({ kind: 'cancel', at: 'period_end' });
  await days(1);
}

test.each(['unpaid', 'pause'] as const)('given up to %s, what was cancelled to its end has its end', async (end) => {
  await givenUp({ ...GIVES_UP, retryAfterDays: [1], end });
  expect(await row()).toMatchObject({ status: end === 'pause' ? 'paused' : end });
  await days(26);
  expect(await canceled()).toEqual([]);
  await days(2);
  expect(await row()).toMatchObject({ status: 'canceled', access: 'suspended', next_due_at: null });
  expect(await canceled()).toEqual([subscription]);
});

test('paused by a person, what was cancelled to its end has its end, and that is told once', async () => {
  await world.run();
  await order({ kind: 'cancel', at: 'period_end' });
  await order({ kind: 'pause' });
  await days(30);
  expect(await row()).toMatchObject({ status: 'canceled' });
  expect(await canceled()).toEqual([subscription]);
});

test('paused with something still owed, it does not end before a person has seen to that', async () => {
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  await order({ kind: 'cancel', at: 'period_end' });
  await order({ kind: 'pause' });
  await days(30);
  expect(await row()).toMatchObject({ status: 'paused' });
  expect(await invoices()).toEqual([['2027-01-31', 'held']]);
  await world.database.db.$executeRaw`UPDATE invoice SET state = 'void', reason = 'a present'`;
  await days(1);
  expect(await row()).toMatchObject({ status: 'canceled' });
});

/** At once, as after an outage; twice, for what the first pass leaves to the next. */
async function later(days: number): Promise<void> {
  await world.advance({ days });
  for (let passes = 0; passes < 2; passes += 1) {
    await world.run();
    await world.advance({ minutes: 1 });
  }
}

test.each(['unpaid', 'pause'] as const)(
  'given up to %s in its last agreed period, a fixed term has its end, and that is told once',
  async (end) => {
    subscription = await world.subscribe({ endsAfter: 1 });
    await dunned(() => world).follow({ ...GIVES_UP, end });
    world.gateway.script(`card of ${subscription}`, 'decline');
    await world.run();
    await later(26);
    expect(await row()).toMatchObject({ status: end === 'pause' ? 'paused' : end });
    await later(2);
    expect(await row()).toMatchObject({ status: 'canceled', access: 'suspended', next_due_at: null });
    expect(await canceled()).toEqual([subscription]);
  },
);

test('a fixed term that is paused with something still owed does not end before a person has seen to that', async () => {
  subscription = await world.subscribe({ endsAfter: 1 });
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  await order({ kind: 'pause' });
  await later(30);
  expect(await row()).toMatchObject({ status: 'paused' });
  await world.database.db.$executeRaw`UPDATE invoice SET state = 'void', reason = 'a present' WHERE state = 'held'`;
  await later(1);
  expect(await row()).toMatchObject({ status: 'canceled' });
});

test('paused before its last agreed period, a fixed term waits for its resume', async () => {
  subscription = await world.subscribe({ endsAfter: 2 });
  await world.run();
  await order({ kind: 'pause' });
  await later(90);
  expect(await row()).toMatchObject({ status: 'paused' });
});

test('whatever ends at the end of its period is told of, and once', async () => {
  const last = await world.subscribe({ endsAfter: 1 });
  await world.run();
  await order({ kind: 'cancel', at: 'period_end' });
  await days(31);
  expect(new Set(await canceled())).toEqual(new Set([subscription, last]));
  expect(await canceled()).toHaveLength(2);
});
