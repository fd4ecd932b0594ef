import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { DeclineClass } from '../../src/billing/charge.ts';
import type { DunningPolicy } from '../../src/billing/policy.ts';
import { orderCardChange } from '../../src/operator/change-card.ts';
import { changeCard } from '../../src/store/card-change.ts';
import { findForOrder } from '../../src/store/subscription-orders.ts';
import { dunned, GIVES_UP, SAID } from '../support/dunned.ts';
import { FINGERPRINT, invoiceOf, newWorld, type World } from '../support/world.ts';

// A payer registers another card, mostly under the same customer_uid: PortOne replaces the one before without a word.

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

const { owing, follow, deps, order, row, days, minutes } = dunned(() => world);

const WAITS = { retryAfterDays: [], card: 'other' } as const;
const POLICY: DunningPolicy = {
  ...{ retryAfterDays: [1, 3], minGapHours: 24, waitForCardDays: 7 },
  ...{ classes: { card: WAITS, funds: { retryAfterDays: [1, 3], card: 'next' } }, end: 'unpaid', later: 'hold' },
};
const change = (id: string, customerUid = `card of ${id}`) => orderCardChange(deps(), id, { customerUid }, SAID);

/** The card alone: its charge is not ordered yet. */
async function giveOnly(id: string): Promise<void> {
  const found = await findForOrder(world.database.db, id);
  if (found === null) throw new Error('it is there');
  await changeCard(world.database.db, found, { customerUid: `card of ${id}` }, { ...SAID, fingerprint: FINGERPRINT });
}

/** A subscription whose first charge is declined so. */
async function declining(as: DeclineClass, policy: DunningPolicy = POLICY): Promise<string> {
  world.gateway.declineAs = as;
  return owing(policy, 'decline');
}

/** Has something happen while the next charge is at the gateway. */
function whileCharging(work: () => Promise<unknown>): void {
  const { charge } = world.gateway;
  world.gateway.charge = async (request) => {
    world.gateway.charge = charge;
    const answer = await charge.call(world.gateway, request);
    await work();
    return answer;
  };
}

/** Has something happen once, between a reading and what follows from it. */
function afterReading<Name extends string>(
  store: { [name in Name]: (...args: never[]) => Promise<unknown> },
  name: Name,
  work: () => Promise<unknown>,
): void {
  const read = store[name];
  const reading = async (...args: never[]) => {
    Object.assign(store, { [name]: read });
    const found = await read(...args);
    await work();
    return found;
  };
  Object.assign(store, { [name]: reading });
}

test('a card that was lost is replaced under its customer_uid, and pays at once', async () => {
  const id = await declining('card');
  expect(await invoiceOf(world, id)).toMatchObject({ reason: 'awaiting_card' });
  await world.advance({ hours: 2 });
  await change(id);
  await world.run();
  expect(await invoiceOf(world, id)).toMatchObject({ state: 'paid' });
});

test('it begins the ladder anew: what the card before did is not counted', async () => {
  const id = await declining('funds');
  await world.advance({ hours: 2 });
  world.gateway.script(`card of ${id}`, ...Array.from({ length: 9 }, () => 'decline' as const));
  await change(id);
  const sent: number[] = [];
  for (let hour = 2; hour < 24 * 6; hour += 2) {
    const before = world.gateway.posts.length;
    await world.run();
    if (world.gateway.posts.length > before) sent.push(hour);
    await world.advance({ hours: 2 });
  }
  expect(sent).toEqual([2, 26, 72]);
});

test('a decline of the card before, which was still on its way, bars nothing: the new one is tried at once', async () => {
  await follow(POLICY);
  const id = await world.subscribe();
  world.gateway.declineAs = 'card';
  world.gateway.script(`card of ${id}`, 'lose');
  await world.run();
  const { attempts } = await invoiceOf(world, id);
  expect(attempts).toMatchObject([{ state: 'unknown' }]);
  await world.advance({ hours: 2 });
  await change(id);
  world.gateway.land(attempts[0]?.merchant_uid ?? '', 'failed');
  await minutes(3);
  expect(await invoiceOf(world, id)).toMatchObject({
    state: 'paid',
    attempts: [{ state: 'declined' }, { state: 'paid' }],
  });
});

test.each(['the same customer_uid', 'another one'])(
  'a card that comes under %s while a charge is at the gateway is tried before a policy ends anything',
  async (uid) => {
    await follow({ ...GIVES_UP, end: 'cancel' });
    const id = await world.subscribe();
    world.gateway.script(`card of ${id}`, 'decline');
    whileCharging(() => change(id, uid === 'another one' ? 'another card' : `card of ${id}`));
    await world.run();
    expect((await row(id)).status).toBe('past_due');
    await minutes(2);
    expect(await invoiceOf(world, id)).toMatchObject({ state: 'paid' });
    expect((await row(id)).status).toBe('active');
  },
);

test('one that comes between the reading of the cards and the record is decided on all the same', async () => {
  await follow({ ...GIVES_UP, end: 'cancel' });
  const id = await world.subscribe();
  world.gateway.script(`card of ${id}`, 'decline');
  afterReading(world.worker.store, 'presentCards', () => change(id));
  await world.run();
  await minutes(2);
  expect(await invoiceOf(world, id)).toMatchObject({ state: 'paid' });
  expect((await row(id)).status).toBe('active');
});

test('so is one that comes while what waited for another card is being given up', async () => {
  const id = await declining('card', { ...POLICY, end: 'cancel' });
  await world.advance({ days: 7 });
  afterReading(world.scheduler.store, 'cardsAwaited', () => giveOnly(id));
  await minutes(3);
  expect(await invoiceOf(world, id)).toMatchObject({ state: 'paid' });
  expect((await row(id)).status).toBe('active');
});

test('what was leased for the card before is not sent; it goes on the new one once the lease is over', async () => {
  const id = await owing(POLICY);
  await world.advance({ days: 31 });
  const { billingKey } = world.gateway;
  let asked = 0;
  await world.database.db.billing_key.updateMany({ data: { sandbox: null } });
  world.gateway.billingKey = async () => {
    asked += 1;
    if (asked === 1) await change(id);
    return billingKey.call(world.gateway);
  };
  const before = world.gateway.posts.length;
  await world.run();
  expect(world.gateway.posts).toHaveLength(before);
  await minutes(3);
  expect(asked).toBe(2); // the new one was asked about before it was charged
  expect(world.gateway.posts).toHaveLength(before + 1);
});

test('neither the cap nor a block of today is the new card’s', async () => {
  const id = await declining('funds', { ...POLICY, perCard: { declines: 1, days: 30 } });
  await world.database.db.attempt.updateMany({
    where: { state: 'declined' },
    data: { card_blocked_until: world.now.plus({ hours: 12 }).toJSDate() },
  });
  await world.advance({ hours: 2 });
  await change(id);
  await world.run();
  expect(await invoiceOf(world, id)).toMatchObject({ state: 'paid' });
});

test('where a send that nothing answered bars it, what was given up is tried once that is over, and once', async () => {
  const id = await owing(GIVES_UP, 'decline');
  const { db } = world.database;
  await db.attempt.updateMany({ where: { state: 'declined' }, data: { unanswered_at: world.now.toJSDate() } });
  await world.advance({ hours: 2 });
  world.gateway.script('another card', 'decline');
  await change(id, 'another card');
  await minutes(2);
  expect(world.gateway.posts).toHaveLength(1);
  await days(1);
  await minutes(3);
  expect(world.gateway.posts.map(({ customerUid }) => customerUid)).toEqual([`card of ${id}`, 'another card']);
  await days(3);
  expect(world.gateway.posts).toHaveLength(2);
  expect(await db.billing_key.count({ where: { given_at: { not: null } } })).toBe(0);
});

test('killed between card and charge, the scheduler orders the charge, and once', async () => {
  const id = await declining('funds');
  await world.advance({ hours: 2 });
  world.gateway.script(`card of ${id}`, 'decline');
  await giveOnly(id);
  await minutes(5);
  expect(world.gateway.posts).toHaveLength(2);
});

test('a card given during a pause under the same customer_uid is tried when that ends', async () => {
  const id = await declining('card');
  await order(id, { kind: 'pause' });
  await world.advance({ hours: 2 });
  await change(id);
  await minutes(3);
  expect(world.gateway.posts).toHaveLength(1);
  await order(id, { kind: 'resume', anchor: 'keep' });
  await minutes(2);
  expect(await invoiceOf(world, id)).toMatchObject({ state: 'paid' });
});

test('other subscriptions of the payer that wait for a card are tried too: on it as their own, or as another one', async () => {
  world.gateway.declineAs = 'card';
  await follow(POLICY);
  const names = ['one', 'other', 'third'];
  for (const externalId of names) await world.subscribe({ externalId, customer: 'kim' });
  const { db } = world.database;
  await db.$executeRaw`
    UPDATE subscription SET billing_key_id = (SELECT id FROM billing_key WHERE customer_uid = 'card of one') WHERE external_id = 'other'`;
  await db.$executeRaw`UPDATE billing_key SET preference = 1 WHERE customer_uid = 'card of one'`;
  world.gateway.script('card of one', ...names.map(() => 'decline' as const));
  world.gateway.script('card of third', 'decline');
  await minutes(3);
  expect((await db.invoice.findMany()).map(({ reason }) => reason)).toEqual(names.map(() => 'awaiting_card'));
  await world.advance({ hours: 2 });
  await change('one');
  await minutes(3);
  expect((await db.invoice.findMany()).map(({ state }) => state)).toEqual(names.map(() => 'paid'));
});
