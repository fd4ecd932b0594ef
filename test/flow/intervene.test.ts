import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseInvoiceId } from '../../src/billing/ids.ts';
import type { Intervention } from '../../src/billing/intervention.ts';
import { orderIntervention } from '../../src/operator/intervene.ts';
import { accountCaptures } from '../../src/scheduler/account-captures.ts';
import { lateWatch } from '../../src/scheduler/late-watch.ts';
import { findForIntervention, intervene } from '../../src/store/interventions.ts';
import { dunned, GIVES_UP } from '../support/dunned.ts';
import type { Behaviour } from '../support/fake-gateway.ts';
import { lockRows } from '../support/row-lock.ts';
import { CHANNEL, FINGERPRINT, invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
let subscription: string;
beforeEach(async () => {
  world = await newWorld();
  subscription = await world.subscribe();
});
afterEach(() => world.end());

const invoice = () => invoiceOf(world, subscription);
const status = async () =>
  (await world.database.db.subscription.findUniqueOrThrow({ where: { external_id: subscription } })).status;
const posts = () => world.gateway.posts.length;
const said = { actor: 'kim@host', reason: 'the customer called' };

async function order(intervention: Intervention, declinesAreFinal = true) {
  const { db } = world.database;
  const deps = { db, fingerprint: FINGERPRINT, channel: () => ({ ...CHANNEL, declinesAreFinal }) };
  return orderIntervention(deps, parseInvoiceId((await invoice()).id), intervention, said);
}

function script(...behaviours: Behaviour[]): void {
  world.gateway.script(`card of ${subscription}`, ...behaviours);
}

test('a retry by hand charges once, at once and under the next id, and says who wanted it', async () => {
  script('decline');
  await world.run();
  await world.advance({ hours: 2 });
  expect(await order('retry')).toBe('retrying');
  await world.run();
  expect((await invoice()).attempts.map(({ number, state }) => [number, state])).toEqual([
    [1, 'declined'],
    [2, 'paid'],
  ]);
  expect(await invoice()).toMatchObject({ state: 'paid' });
  const { db } = world.database;
  expect(await db.audit.findMany({ where: { action: 'invoice.retried' } })).toMatchObject([said]);
  expect(await db.outbox.count({ where: { kind: 'invoice.retried' } })).toBe(1);
});

test('pressed twice, or by two people at once, it is tried once (U1)', async () => {
  script('decline');
  await world.run();
  await world.advance({ hours: 2 });
  await Promise.all([order('retry'), order('retry')]);
  await order('retry');
  await world.run();
  await world.run();
  expect(posts()).toBe(2);
});

test('where a decline may still turn into a payment, a day must pass', async () => {
  script('decline');
  await world.run();
  await world.advance({ hours: 2 });
  await expect(order('retry', false)).rejects.toMatchObject({ name: 'InputError', remedy: 'say it again in 22 hours' });
});

test('what was given up is tried once more, and its subscriber is past due meanwhile', async () => {
  script('decline', 'decline', 'decline', 'decline');
  for (const days of [1, 2, 2, 1]) {
    await world.run();
    await world.advance({ days });
  }
  expect(await invoice()).toMatchObject({ state: 'uncollectible' });
  expect(await status()).toBe('unpaid');
  await order('retry');
  expect(await status()).toBe('past_due');
  await world.run();
  expect(await invoice()).toMatchObject({ state: 'paid' });
  expect(await status()).toBe('active');
});

test('what was given up and let go is tried, though a pause comes before it goes', async () => {
  const { follow, order: orders, minutes } = dunned(() => world);
  await follow(GIVES_UP);
  script('decline');
  await world.run();
  await world.advance({ days: 2 });
  await order('retry');
  await orders(subscription, { kind: 'pause' });
  await minutes(2);
  await orders(subscription, { kind: 'resume', anchor: 'keep' });
  await minutes(2);
  expect(await invoice()).toMatchObject({ state: 'paid' });
});

test('while a charge is unknown every order is refused, and has it looked up at once (U2)', async () => {
  script('capture-silently');
  world.gateway.lookUps = 'absent';
  await world.run();
  await world.advance({ minutes: 90 });
  world.gateway.lookUps = 'truthful';
  expect(await invoice()).toMatchObject({ attempts: [{ state: 'unknown' }] });
  await world.database.db.invoice.updateMany({ data: { next_at: world.now.plus({ days: 1 }).toJSDate() } });
  for (const intervention of ['retry', 'void'] as const)
    await expect(order(intervention)).rejects.toMatchObject({
      name: 'FenceError',
      message: expect.stringMatching(/not known yet/),
    });
  await world.run();
  expect(await invoice()).toMatchObject({ state: 'paid' });
  expect(posts()).toBe(1);
});

test('a held invoice is released; what never failed opens again', async () => {
  const known = world.gateway.key;
  world.gateway.key = { kind: 'absent' };
  await world.run();
  expect(await invoice()).toMatchObject({ state: 'held', reason: 'billing_key_unknown' });
  world.gateway.key = known;
  expect(await order('release')).toBe('open');
  await world.run();
  expect(await invoice()).toMatchObject({ state: 'paid', reason: null });
});

test('a review is released to the same id: it is looked up first, and charged only where nothing is known', async () => {
  await world.run();
  await world.advance({ minutes: 1 });
  const { db } = world.database;
  await db.$executeRaw`UPDATE observation SET status = 'failed', account_at = NULL`;
  await db.$executeRaw`UPDATE attempt SET state = 'review', answered_at = NULL, imp_uid = NULL`;
  await db.$executeRaw`UPDATE invoice SET state = 'review', reason = 'a person looks', paid_at = NULL`;
  await expect(order('release')).rejects.toMatchObject({ remedy: 'say it again in 24 hours' });
  await world.advance({ days: 1 });
  expect(await order('release')).toBe('open');
  expect((await invoice()).attempts).toMatchObject([{ state: 'prepared', fail_reason: said.reason }]);
  await world.run();
  expect(await invoice()).toMatchObject({ state: 'paid', attempts: [{ number: 1, state: 'paid' }] });
  expect(posts()).toBe(1);
});

test('a void withdraws what waits, and the subscriber owes nothing', async () => {
  script('decline');
  await world.run();
  expect(await status()).toBe('past_due');
  expect(await order('void')).toBe('void');
  await world.advance({ days: 1 });
  await world.run();
  expect(posts()).toBe(1);
  expect(await status()).toBe('active');
  expect(await invoice()).toMatchObject({ state: 'void', reason: said.reason, next_at: null });
});

test('what was sent for a void invoice is watched: money that lands late is put up for refund', async () => {
  script('decline');
  await world.run();
  await order('void');
  world.gateway.land((await invoice()).attempts[0]?.merchant_uid ?? '', 'paid');
  await world.advance({ days: 1 });
  await lateWatch(world.scheduler);
  await accountCaptures(world.scheduler);
  expect(await world.database.db.refund.findMany()).toMatchObject([
    { state: 'prepared', reason: expect.stringMatching(/invoice is void/) },
  ]);
});

/** The order as it is carried out against what was read before `meanwhile` happened. */
async function orderAfter(meanwhile: () => Promise<unknown>): Promise<boolean> {
  const { db } = world.database;
  const invoiceId = parseInvoiceId((await invoice()).id);
  const found = await findForIntervention(db, invoiceId);
  if (found === null) throw new Error('there is none');
  await meanwhile();
  const change = { invoice: { state: 'void', watchAt: null }, attempt: null, subscription: 'clear' } as const;
  return intervene(db, { invoiceId, intervention: 'void', said, fingerprint: FINGERPRINT }, found, change);
}

test('an order judged before a charge was sent is not carried out after it', async () => {
  script('decline', 'capture-silently');
  await world.run();
  await world.advance({ days: 1 });
  expect(await orderAfter(() => world.run())).toBe(false);
  expect(await invoice()).toMatchObject({ state: 'retrying' });
  expect(await world.database.db.audit.count({ where: { action: 'invoice.voided' } })).toBe(0);
});

test('an order that waits for a charge being sent beside it finds the invoice changed (U3)', async () => {
  script('decline');
  await world.run();
  const lock = await lockRows(world.database.url, 'SELECT FROM invoice FOR UPDATE');
  const voided = orderAfter(async () => undefined);
  await lock.waitedForBy(1);
  await lock.also('UPDATE invoice SET last_attempt_at = now()');
  await lock.release();
  expect(await voided).toBe(false);
  expect(await invoice()).toMatchObject({ state: 'retrying' });
});

test('in a database of another installation nothing is changed', async () => {
  script('decline');
  await world.run();
  await world.database.db.$executeRaw`UPDATE control SET fingerprint = 'another'`;
  await expect(order('void')).rejects.toMatchObject({ name: 'FenceError' });
  expect(await invoice()).toMatchObject({ state: 'retrying' });
});
