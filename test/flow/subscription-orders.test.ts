import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { SubscriptionOrder } from '../../src/billing/subscription-order.ts';
import { orderCardChange } from '../../src/operator/change-card.ts';
import { orderTerms } from '../../src/operator/change-plan.ts';
import { orderSubscription } from '../../src/operator/order-subscription.ts';
import { sweep } from '../../src/scheduler/sweep.ts';
import { changeSubscription, findForOrder } from '../../src/store/subscription-orders.ts';
import { lockRows } from '../support/row-lock.ts';
import { CHANNEL, FINGERPRINT, invoiceOf, invoicesOf, newWorld, type World } from '../support/world.ts';

let world: World;
let subscription: string;
beforeEach(async () => {
  world = await newWorld();
  subscription = await world.subscribe();
});
afterEach(() => world.end());

const said = { actor: 'api', reason: 'by the API' };
const deps = () => ({
  db: world.database.db,
  fingerprint: FINGERPRINT,
  versions: { default: 'test' },
  channel: () => ({ ...CHANNEL, declinesAreFinal: true }),
});
const order = (wish: SubscriptionOrder) => orderSubscription(deps(), subscription, wish, said);
const row = () => world.database.db.subscription.findUniqueOrThrow({ where: { external_id: subscription } });
const script = (...behaviours: Parameters<World['gateway']['script']>[1][]) =>
  world.gateway.script(`card of ${subscription}`, ...behaviours);
const invoices = async () =>
  (await invoicesOf(world, subscription)).map(({ period_key, state }) => [period_key, state]);

/** Runs the days one by one, as a scheduler does. */
async function days(count: number): Promise<void> {
  for (let day = 0; day < count; day += 1) {
    await world.advance({ days: 1 });
    await world.run();
  }
}

test('cancelled at once, nothing more is drawn up, and what waits for its retry is owed no more', async () => {
  script('decline');
  await world.run();
  expect(await order({ kind: 'cancel', at: 'now' })).toEqual({ kind: 'done' });
  expect(await row()).toMatchObject({ status: 'canceled', next_due_at: null });
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'void', reason: 'subscription_canceled' });
  await days(35);
  expect(world.gateway.posts).toHaveLength(1);
  expect(await order({ kind: 'cancel', at: 'now' })).toEqual({ kind: 'done' });
  expect(await world.database.db.audit.count({ where: { action: 'subscription.canceled' } })).toBe(1);
});

test.each(['the order given again', 'the next worker'])(
  'killed between subscription and invoices, a cancel is made up for by %s',
  async (by) => {
    script('decline');
    await world.run();
    const found = await findForOrder(world.database.db, subscription);
    if (found === null) throw new Error('there is none');
    const change = { status: 'canceled', event: 'subscription.canceled' } as const;
    expect(await changeSubscription(world.database.db, found, change, { ...said, ...deps() })).toBe(true);
    expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'retrying' });
    if (by === 'the order given again') await order({ kind: 'cancel', at: 'now' });
    else await days(1);
    expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'void', reason: 'subscription_canceled' });
    expect(world.gateway.posts).toHaveLength(1);
  },
);

test('a cancel while a charge is unknown lets it be settled first', async () => {
  script('capture-silently');
  world.gateway.lookUps = 'absent';
  await world.run();
  await order({ kind: 'cancel', at: 'now' });
  expect(await invoiceOf(world, subscription)).toMatchObject({ attempts: [{ state: 'unknown' }], state: 'open' });
  world.gateway.lookUps = 'truthful';
  await days(1);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
  expect(await row()).toMatchObject({ status: 'canceled' });
});

test('cancelled to the end of the period, the period is served and no other follows; it can be taken back', async () => {
  await world.run();
  await order({ kind: 'cancel', at: 'period_end' });
  await order({ kind: 'resume', anchor: 'keep' });
  await days(28);
  expect(await invoices()).toEqual([
    ['2027-01-31', 'paid'],
    ['2027-02-28', 'paid'],
  ]);
  await order({ kind: 'cancel', at: 'period_end' });
  expect(await row()).toMatchObject({ status: 'active', cancel_at: expect.any(Date) });
  await days(40);
  expect(await row()).toMatchObject({ status: 'canceled' });
  expect(await invoices()).toHaveLength(2);
});

test('paused, nothing is charged; resumed, what was held goes on and the months between are not owed', async () => {
  script('decline');
  await world.run();
  await order({ kind: 'pause' });
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'held', reason: 'subscription_stopped' });
  await days(65);
  expect(world.gateway.posts).toHaveLength(1);
  await order({ kind: 'resume', anchor: 'keep' });
  expect(await row()).toMatchObject({ status: 'past_due', paused_at: null });
  await world.run();
  expect(await row()).toMatchObject({ status: 'active' });
  await days(30);
  expect(await invoices()).toEqual([
    ['2027-01-31', 'paid'],
    ['2027-04-30', 'paid'],
  ]);
});

test('resumed with a new anchor, its periods begin anew: now, and never inside one that was drawn up', async () => {
  await world.run();
  await order({ kind: 'pause' });
  await days(10);
  await order({ kind: 'resume', anchor: 'new' });
  await world.run();
  expect(await invoices()).toEqual([['2027-01-31', 'paid']]); // paid to 28 February
  await order({ kind: 'pause' });
  await days(30);
  await order({ kind: 'resume', anchor: 'new' });
  const today = world.now.setZone('Asia/Seoul');
  await world.run();
  await days(40);
  const expected = [today, today.plus({ months: 1 })].map((day) => [day.toISODate(), 'paid']);
  expect(await invoices()).toEqual([['2027-01-31', 'paid'], ...expected]);
});

test.each([
  ['the day between two attempts on one card', {}, 24],
  ['the quarantine of a send that nothing answered', { unanswered_at: '2027-01-31T06:00:00Z' }, 29],
])('a pause does not shorten %s', async (_what, unanswered, hours) => {
  script('decline');
  await world.run();
  const { db } = world.database;
  await db.attempt.updateMany({ data: unanswered });
  await order({ kind: 'pause' });
  await order({ kind: 'resume', anchor: 'keep' });
  await sweep(world.scheduler); // which decides anew
  expect((await invoiceOf(world, subscription)).next_at).toEqual(world.now.plus({ hours }).toJSDate());
  await world.advance({ hours: hours - 1 });
  await world.run();
  expect(world.gateway.posts).toHaveLength(1);
  await world.advance({ hours: 1 });
  await world.run();
  expect(world.gateway.posts).toHaveLength(2);
});

test('a skipped period is waived on record, and the next one is charged on its day', async () => {
  await world.run();
  await order({ kind: 'skip' });
  await days(60);
  expect(await invoices()).toEqual([
    ['2027-01-31', 'paid'],
    ['2027-02-28', 'waived'],
    ['2027-03-31', 'paid'],
  ]);
});

test('another price holds from the next period on: what is drawn up keeps its own', async () => {
  script('decline');
  await world.run();
  const terms = () => ({ name: '원두 1kg', price: { minor: 30_000, currency: 'KRW' } });
  expect(await orderTerms(deps(), subscription, terms, said)).toEqual({ kind: 'done' });
  await days(30);
  expect(world.gateway.captures.map(({ amount }) => amount?.minor)).toEqual([9_900, 30_000]);
  expect(world.gateway.posts.map(({ name }) => name)).toEqual(['원두 구독', '원두 구독', '원두 1kg']);
});

test('another card pays what was declined at once, and one day is not waited for', async () => {
  script('decline');
  await world.run();
  expect(await orderCardChange(deps(), subscription, { customerUid: 'another card' }, said)).toEqual({ kind: 'done' });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
  expect(world.gateway.posts.map(({ customerUid }) => customerUid)).toEqual([
    `card of ${subscription}`,
    'another card',
  ]);
});

test('a card that the gateway did not know is replaced, and what was held for it is charged', async () => {
  const known = world.gateway.key;
  world.gateway.key = { kind: 'absent' };
  await world.run();
  world.gateway.key = known;
  await orderCardChange(deps(), subscription, { customerUid: 'another card' }, said);
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('while a charge on the old card is unknown the new one is not charged', async () => {
  script('capture-silently');
  world.gateway.lookUps = 'absent';
  await world.run();
  await orderCardChange(deps(), subscription, { customerUid: 'another card' }, said);
  await days(1);
  world.gateway.lookUps = 'truthful';
  await days(1);
  expect(world.gateway.posts).toHaveLength(1);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test("another customer's card is refused, and so is a card for what is canceled", async () => {
  await world.subscribe({ externalId: 'other' });
  expect(await orderCardChange(deps(), subscription, { customerUid: 'card of other' }, said)).toMatchObject({
    kind: 'refused',
  });
  await order({ kind: 'cancel', at: 'now' });
  expect(await orderCardChange(deps(), subscription, { customerUid: 'another card' }, said)).toMatchObject({
    kind: 'refused',
  });
  expect(await orderCardChange(deps(), 'nobody', { customerUid: 'another card' }, said)).toEqual({ kind: 'missing' });
});

test('an order that waits while the subscription is drawn up is judged again', async () => {
  const { db } = world.database;
  const found = await findForOrder(db, subscription);
  if (found === null) throw new Error('there is none');
  const lock = await lockRows(world.database.url, 'SELECT FROM subscription FOR UPDATE');
  const by = { ...said, fingerprint: FINGERPRINT, versions: {} };
  const changed = changeSubscription(db, found, { status: 'paused', event: 'subscription.paused' }, by);
  await lock.waitedForBy(1);
  await lock.also('UPDATE subscription SET last_drawn_at = now()');
  await lock.release();
  expect(await changed).toBe(false);
  expect(await row()).toMatchObject({ status: 'active' });
});

test('in a database of another installation nothing is changed', async () => {
  await world.run();
  await world.database.db.$executeRaw`UPDATE control SET fingerprint = 'another'`;
  await expect(order({ kind: 'pause' })).rejects.toMatchObject({ name: 'FenceError' });
  await expect(orderCardChange(deps(), subscription, { customerUid: 'another card' }, said)).rejects.toMatchObject({
    name: 'FenceError',
  });
  expect(await row()).toMatchObject({ status: 'active' });
});
