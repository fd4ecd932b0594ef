import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseInvoiceId } from '../../src/billing/ids.ts';
import type { Intervention } from '../../src/billing/intervention.ts';
import { orderIntervention } from '../../src/operator/intervene.ts';
import { markPaid } from '../../src/operator/mark-paid.ts';
import { refundInvoice } from '../../src/operator/refund.ts';
import { lateWatch } from '../../src/scheduler/late-watch.ts';
import { refundDue } from '../../src/worker/refund.ts';
import { CHANNEL, FINGERPRINT, invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
let subscription: string;
beforeEach(async () => {
  world = await newWorld();
  subscription = await world.subscribe();
});
afterEach(() => world.end());

const invoice = () => invoiceOf(world, subscription);
const SAID = { actor: 'cli:kim', reason: 'the customer called' };
const deps = () => ({ db: world.database.db, fingerprint: FINGERPRINT, channel: () => CHANNEL });
const order = async (what: Intervention) => orderIntervention(deps(), parseInvoiceId((await invoice()).id), what, SAID);
const mark = async (impUid: string) =>
  markPaid({ ...deps(), gateway: world.gateway, sandbox: true }, parseInvoiceId((await invoice()).id), impUid, SAID);
async function giveBack(impUid: string | null = null): Promise<void> {
  const { db } = world.database;
  const wanted = { amount: null, impUid, ...SAID };
  const own = { db, fingerprint: FINGERPRINT, needsAdoption: false };
  const only = await refundInvoice(own, parseInvoiceId((await invoice()).id), wanted);
  await refundDue(world.refunder, { only });
}

async function observed(merchantUid: string): Promise<void> {
  const answer = await world.gateway.lookUp(merchantUid);
  if (answer.kind === 'found') await world.worker.store.observe(answer.records, 'look_up');
  await world.run();
}

/** Declined, then paid by the second attempt. */
async function paidBySecond() {
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  await world.advance({ days: 1 });
  await world.run();
  const [first, second] = (await invoice()).attempts;
  return [first, second] as const;
}

/** Then somebody gives that back; then the first one turns out to be paid. */
async function reviewWithACapture(): Promise<string> {
  const [first, second] = await paidBySecond();
  world.gateway.land(second?.merchant_uid ?? '', 'cancelled');
  await observed(second?.merchant_uid ?? '');
  world.gateway.land(first?.merchant_uid ?? '', 'paid');
  await observed(first?.merchant_uid ?? '');
  expect(await invoice()).toMatchObject({ state: 'review' });
  return world.gateway.captures[0]?.impUid ?? '';
}

test('a capture that waits for a person may be called what the invoice is paid by', async () => {
  const impUid = await reviewWithACapture();
  expect(await mark(impUid)).toBe('accounted');
  await world.run();
  expect(await invoice()).toMatchObject({
    state: 'paid',
    attempts: [{ state: 'paid', imp_uid: impUid }, { state: 'canceled' }],
  });
  await world.advance({ days: 3 });
  await world.run();
  expect(world.gateway.posts).toHaveLength(2);
});

test('a capture that was put up for refund, before what paid in its place was given back, may be called so as well', async () => {
  const [first, second] = await paidBySecond();
  world.gateway.land(first?.merchant_uid ?? '', 'paid');
  await observed(first?.merchant_uid ?? '');
  expect(await world.database.db.refund.findMany()).toMatchObject([{ state: 'prepared', next_at: null }]);
  world.gateway.land(second?.merchant_uid ?? '', 'cancelled');
  await observed(second?.merchant_uid ?? '');
  expect(await invoice()).toMatchObject({ state: 'review' });
  const impUid = world.gateway.captures[0]?.impUid ?? '';
  expect(await mark(impUid)).toBe('accounted');
  await world.run();
  expect(await invoice()).toMatchObject({ state: 'paid', attempts: [{ state: 'paid', imp_uid: impUid }, {}] });
  expect(await world.database.db.refund.findMany()).toMatchObject([{ state: 'failed', next_at: null }]);
});

test('an invoice that is paid, and in review for a payment that nobody can read, is let out of it by what it counts as paid by', async () => {
  const [first, second] = await paidBySecond();
  world.gateway.land(first?.merchant_uid ?? '', 'paid');
  const answer = await world.gateway.lookUp(first?.merchant_uid ?? '');
  const records =
    answer.kind === 'found' ? answer.records.map((record) => ({ ...record, impUid: 'imps_odd', amount: null })) : [];
  await world.worker.store.observe(records, 'look_up');
  await world.run();
  expect(await invoice()).toMatchObject({ state: 'review', attempts: [{}, { state: 'paid' }] });
  expect(await mark(second?.imp_uid ?? '')).toBe('paid');
  await world.run();
  expect(await invoice()).toMatchObject({ state: 'paid', attempts: [{}, { state: 'paid', imp_uid: second?.imp_uid }] });
  await expect(mark(second?.imp_uid ?? '')).rejects.toMatchObject({ message: /already/ });
});

test('or it is given back; then what is owed may be charged once more, under the next id', async () => {
  const impUid = await reviewWithACapture();
  await expect(order('release')).rejects.toMatchObject({ message: new RegExp(`${impUid} was captured for it`) });
  await giveBack();
  await world.run();
  expect(world.gateway.captures).toHaveLength(0);
  await world.advance({ days: 2 });
  expect(await order('release')).toBe('retrying');
  await world.run();
  expect(await invoice()).toMatchObject({
    state: 'paid',
    attempts: [{}, { state: 'canceled' }, { number: 3, state: 'paid' }],
  });
  expect(world.gateway.captures).toHaveLength(1);
});

test('of two captures in review, the one that is named is given back', async () => {
  const first = await reviewWithACapture();
  const again = world.gateway.captureAgain((await invoice()).attempts[0]?.merchant_uid ?? '');
  await observed((await invoice()).attempts[0]?.merchant_uid ?? '');
  await expect(giveBack()).rejects.toMatchObject({
    message: expect.stringMatching(/say which one is given back: --imp-uid|were captured/),
  });
  await giveBack(again.impUid);
  await world.run();
  expect(world.gateway.captures.map(({ impUid }) => impUid)).toEqual([first]);
  expect(await mark(first)).toBe('accounted');
  await world.run();
  expect(await invoice()).toMatchObject({ state: 'paid' });
});

test('what a person calls paid by a payment keeps that payment: no refund of it goes out any more', async () => {
  Object.assign(world.scheduler, { refundDuplicates: 'auto' });
  await world.run();
  const { merchant_uid: uid = '', imp_uid: kept } = (await invoice()).attempts[0] ?? {};
  const surplus = world.gateway.captureAgain(uid);
  await observed(uid);
  const index = world.gateway.records.findIndex(({ impUid }) => impUid === kept);
  const record = world.gateway.records[index];
  if (record !== undefined) world.gateway.records[index] = { ...record, status: 'cancelled', cancelMinor: 9_900 };
  await observed(uid);
  expect(await invoice()).toMatchObject({ state: 'review' });
  expect(await mark(surplus.impUid)).toBe('paid');
  await world.advance({ hours: 1 });
  await refundDue(world.refunder);
  expect(world.gateway.captures.map(({ impUid }) => impUid)).toEqual([surplus.impUid]);
  expect(await invoice()).toMatchObject({ state: 'paid' });
  expect(await world.database.db.refund.findMany()).toMatchObject([{ state: 'failed', next_at: null }]);
});

test('a surplus is given back though a person has refunded the invoice since', async () => {
  Object.assign(world.scheduler, { refundDuplicates: 'auto' });
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  await world.advance({ days: 1 });
  await world.run();
  await giveBack();
  const first = (await invoice()).attempts[0]?.merchant_uid ?? '';
  world.gateway.land(first, 'paid');
  await observed(first);
  await refundDue(world.refunder);
  expect(world.gateway.captures).toHaveLength(0);
});

test('what nobody finds out for longer than a quarantine may be ended by a person, and is watched on', async () => {
  world.gateway.script(`card of ${subscription}`, 'lose');
  for (let hours = 0; hours < 26; hours += 1) {
    await world.run();
    await world.advance({ hours: 1 });
  }
  expect(await order('void')).toBe('void');
  expect(await invoice()).toMatchObject({
    state: 'void',
    attempts: [{ state: 'canceled' }],
    watch_at: expect.any(Date),
  });
  world.gateway.land((await invoice()).attempts[0]?.merchant_uid ?? '', 'paid');
  await world.advance({ days: 2 });
  await lateWatch(world.scheduler);
  await world.run();
  expect(await world.database.db.refund.findMany()).toMatchObject([{ state: 'prepared' }]);
});

test.each(['pause', 'cap'] as const)(
  'a send that was withdrawn without an answer (%s) bars every other id for its quarantine',
  async (how) => {
    await world.subscribe({ externalId: 'canary' });
    world.gateway.script(`card of ${subscription}`, 'lose');
    const { db } = world.database;
    await world.run();
    for (let minutes = 0; minutes < 75; minutes += 5) {
      await world.advance({ minutes: 5 });
      if (minutes === 65 && how === 'cap') Object.assign(world.worker, { maxAmountMinor: () => 1 });
      if (minutes === 65 && how === 'pause')
        await db.$executeRaw`UPDATE subscription SET status = 'paused' WHERE external_id = ${subscription}`;
      await world.run();
    }
    expect(await invoice()).toMatchObject({ state: 'held', attempts: [{ state: 'canceled', send_count: 1 }] });
    Object.assign(world.worker, { maxAmountMinor: () => null });
    await db.$executeRaw`UPDATE subscription SET status = 'active' WHERE external_id = ${subscription}`;
    await expect(order('release')).rejects.toMatchObject({
      message: expect.stringMatching(/never answered, and may still be captured/),
    });
    expect((await invoice()).watch_at).not.toBeNull();
  },
);

test('an invoice that a decline was forgotten of in a restore goes on', async () => {
  world.gateway.script(`card of ${subscription}`, 'decline', 'decline');
  await world.run();
  await world.advance({ days: 1 });
  await world.run();
  const { db } = world.database;
  await db.$executeRaw`ALTER TABLE attempt DISABLE TRIGGER USER`;
  await db.$executeRaw`DELETE FROM observation WHERE merchant_uid = (SELECT merchant_uid FROM attempt WHERE number = 2)`;
  await db.$executeRaw`DELETE FROM attempt WHERE number = 2`;
  await db.$executeRaw`ALTER TABLE attempt ENABLE TRIGGER USER`;
  await db.$executeRaw`UPDATE invoice SET next_at = maedal_now()`;
  await world.advance({ days: 1 });
  await world.run();
  expect(await invoice()).toMatchObject({ state: 'paid' });
});

test('once a day somebody is told of what is put off all the time', async () => {
  world.gateway.readiness = { kind: 'unreachable', reason: 'down' };
  const { advance } = world;
  world.advance = async (by) => {
    await advance(by);
    world.gateway.readiness = { kind: 'unreachable', reason: 'down' };
  };
  for (let minutes = 0; minutes < 26 * 60; minutes += 10) {
    await world.run();
    await world.advance({ minutes: 10 });
  }
  const told = await world.database.db.outbox.findMany({ where: { kind: 'charge.put_off' } });
  expect(told).toMatchObject([{ payload: { reason: 'down', times: 144 } }]);
});
