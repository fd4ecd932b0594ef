import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { accountCaptures } from '../../src/scheduler/account-captures.ts';
import { refundDue } from '../../src/worker/refund.ts';
import { refundRow, wantRefund } from '../support/refunds.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';
import { type Door, openDoor } from './door.ts';

let world: World;
let door: Door;
let subscription: string;
let uid: string;
let impUid: string;
beforeEach(async () => {
  world = await newWorld();
  door = await openDoor(world);
  subscription = await world.subscribe();
  await world.run();
  const [paid] = (await invoiceOf(world, subscription)).attempts;
  [uid, impUid] = [paid?.merchant_uid ?? '', paid?.imp_uid ?? ''];
});
afterEach(async () => {
  await door.app.close();
  await world.end();
});

const won = (minor: number) => ({ minor, currency: 'KRW' });
const refunds = () => world.database.db.refund.findMany({ orderBy: { checksum: 'desc' } });
const told = () => world.database.db.outbox.findMany({ where: { kind: 'refund.recorded_elsewhere' } });

/** Somebody cancels in PortOne's console, whose webhook comes. */
async function cancelled(amount: number, left: number): Promise<void> {
  world.gateway.giveBack({ impUid, amount: won(amount), checksum: won(left) });
  await heard();
}

async function heard(): Promise<void> {
  await world.advance({ seconds: 10 });
  await door.say({ imp_uid: impUid, merchant_uid: uid, status: 'cancelled' });
  await door.follow();
  await accountCaptures(world.scheduler);
}

test('a cancel in the console becomes a recorded refund with its id and its event, and the invoice is for a person (W1)', async () => {
  await cancelled(9_900, 9_900);
  const recorded = { state: 'done', amount: 9_900n, imp_uid: impUid, requested_by: 'elsewhere' };
  expect(await refunds()).toMatchObject([{ ...recorded, cancellation_id: `cancellation_${impUid}_1` }]);
  expect(await told()).toMatchObject([{ payload: { amount: 9_900, cancellation_id: `cancellation_${impUid}_1` } }]);
  expect(await invoiceOf(world, subscription)).toMatchObject({
    state: 'review',
    reason: expect.stringMatching(/not by us/),
  });
});

test('of several cancels in part each is recorded, of the same amount too, and the invoice stays paid', async () => {
  await cancelled(1_000, 9_900);
  await cancelled(1_000, 8_900);
  world.gateway.giveBack({ impUid, amount: won(500), checksum: won(7_900) });
  world.gateway.giveBack({ impUid, amount: won(1_000), checksum: won(7_400) });
  await heard(); // of two at once
  expect((await refunds()).map(({ amount, checksum }) => [amount, checksum])).toEqual([
    [1_000n, 9_900n],
    [1_000n, 8_900n],
    [500n, 7_900n],
    [1_000n, 7_400n],
  ]);
  expect(new Set((await refunds()).map((refund) => refund.cancellation_id)).size).toBe(4);
  expect(await told()).toHaveLength(4);
  expect(await world.database.db.outbox.count({ where: { kind: 'charge.cancelled_in_part' } })).toBe(0);
  expect((await invoiceOf(world, subscription)).state).toBe('paid');
});

test('heard of ten times, and accounted for by five at once, a cancel is recorded once', async () => {
  await cancelled(1_000, 9_900);
  for (let times = 0; times < 10; times += 1) await heard();
  await world.database.db.$executeRaw`UPDATE observation SET account_at = maedal_now()`;
  await Promise.all(Array.from({ length: 5 }, () => accountCaptures(world.scheduler)));
  expect(await refunds()).toHaveLength(1);
  expect(await told()).toHaveLength(1);
});

test('a refund of our own whose webhook comes is not recorded a second time', async () => {
  const id = await wantRefund(world, subscription, { amount: 3_000 });
  await refundDue(world.refunder);
  await heard();
  await cancelled(3_000, 6_900); // somebody else gives the same amount back
  expect(await refundRow(world, id)).toMatchObject({ state: 'done', cancellation_id: `cancellation_${impUid}_1` });
  expect((await refunds()).map((refund) => [refund.requested_by, refund.cancellation_id])).toEqual([
    ['cli:a test', `cancellation_${impUid}_1`],
    ['elsewhere', `cancellation_${impUid}_2`],
  ]);
});

test('a webhook that comes while a refund of our own has no answer waits for that refund', async () => {
  world.gateway.cancelBehaviours = ['cancel-silently'];
  const id = await wantRefund(world, subscription, { amount: 3_000 });
  await refundDue(world.refunder);
  expect((await refundRow(world, id)).state).toBe('unknown');
  await heard();
  expect(await refunds()).toHaveLength(1);
  await world.advance({ minutes: 1 });
  await refundDue(world.refunder);
  await accountCaptures(world.scheduler);
  expect(await refundRow(world, id)).toMatchObject({ state: 'done', cancellation_id: `cancellation_${impUid}_1` });
  expect(await refunds()).toHaveLength(1);
  expect(await told()).toEqual([]);
});

test('a cancel whose webhook never comes is recorded by whoever sees it: an audit, a late watch', async () => {
  world.gateway.giveBack({ impUid, amount: won(1_000), checksum: won(9_900) });
  const answer = await world.gateway.lookUp(uid);
  if (answer.kind === 'found') await world.audits.store.observe(answer.records, 'audit');
  await accountCaptures(world.scheduler);
  expect(await refunds()).toMatchObject([{ amount: 1_000n, requested_by: 'elsewhere' }]);
});

test('money given back elsewhere is not taken for ours: what is left of it whole is still for a person', async () => {
  await cancelled(1_000, 9_900);
  await cancelled(8_900, 8_900);
  expect(await invoiceOf(world, subscription)).toMatchObject({
    state: 'review',
    reason: expect.stringMatching(/the period is unpaid/),
  });
});

test('a part that the gateway says is given back, without saying by which cancellation, is told all the same', async () => {
  const [record] = world.gateway.records;
  if (record === undefined) throw new Error('nothing was captured');
  await world.worker.store.observe([{ ...record, status: 'cancelled', cancelMinor: 1_000 }], 'look_up');
  await accountCaptures(world.scheduler);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
  expect(await world.database.db.outbox.findMany({ where: { kind: 'charge.cancelled_in_part' } })).toMatchObject([
    { payload: { imp_uid: impUid, amount: 9_900, cancelled: 1_000, currency: 'KRW' } },
  ]);
});
