import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { accountCaptures } from '../../src/scheduler/account-captures.ts';
import { refundDue } from '../../src/worker/refund.ts';
import { givenBack, refundRow, wantRefund } from '../support/refunds.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
let subscription: string;
beforeEach(async () => {
  world = await newWorld();
  subscription = await world.subscribe();
  await world.run();
});
afterEach(() => world.end());

const IMP_UID = 'imps_000000000001';
const refund = (only: readonly string[] | null = null) => refundDue(world.refunder, { only });
const outbox = async () =>
  (await world.database.db.outbox.findMany({ orderBy: { id: 'asc' } }))
    .filter(({ kind }) => kind.startsWith('refund.'))
    .map(({ kind, payload }) => ({ kind, ...Object(payload) }));

test('a whole refund gives everything back once, ends its invoice, and tells of it', async () => {
  const id = await wantRefund(world, subscription);
  expect(await refund()).toBe(1);
  expect(await refundRow(world, id)).toMatchObject({
    state: 'done',
    send_count: 1,
    next_at: null,
    cancellation_id: `cancellation_${IMP_UID}_1`,
  });
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'refunded', reason: 'asked by the payer' });
  expect(world.gateway.cancels).toEqual([
    {
      impUid: IMP_UID,
      amount: { minor: 9_900, currency: 'KRW' },
      checksum: { minor: 9_900, currency: 'KRW' },
      reason: 'asked by the payer',
    },
  ]);
  expect(await outbox()).toMatchObject([
    { kind: 'refund.succeeded', imp_uid: IMP_UID, amount: 9_900, subscription_id: subscription },
  ]);
  expect(await refund()).toBe(0);
});

test('what was given back is observed and accounted for: nobody reviews what we did ourselves', async () => {
  await wantRefund(world, subscription);
  await refund();
  await accountCaptures(world.scheduler);
  expect(await world.database.db.observation.findMany()).toMatchObject([
    { status: 'cancelled', cancel_amount: 9_900n, account_at: null, accounted_as: 'settles' },
  ]);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'refunded' });
});

test('a part leaves the invoice paid, and the last part ends it', async () => {
  await wantRefund(world, subscription, { amount: 3_000 });
  await refund();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
  await accountCaptures(world.scheduler);
  const rest = await wantRefund(world, subscription);
  await refund();
  await accountCaptures(world.scheduler);
  expect(await refundRow(world, rest)).toMatchObject({ amount: 6_900n, checksum: 6_900n, state: 'done' });
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'refunded' });
  expect(givenBack(world, IMP_UID)).toBe(9_900);
});

test('a proposal is not touched before a person approves it', async () => {
  const id = await wantRefund(world, subscription);
  await world.database.db.$executeRaw`UPDATE refund SET next_at = NULL`;
  expect(await refund()).toBe(0);
  expect(await refundRow(world, id)).toMatchObject({ state: 'prepared', fence: 0 });
});

test('a lost answer is looked up, and what arrived is not sent again', async () => {
  world.gateway.cancelBehaviours = ['cancel-silently'];
  const id = await wantRefund(world, subscription);
  await refund();
  expect(await refundRow(world, id)).toMatchObject({ state: 'unknown', fail_reason: 'the connection was lost' });
  await world.advance({ seconds: 5 });
  await refund();
  expect(await refundRow(world, id)).toMatchObject({ state: 'done', send_count: 1 });
  expect(world.gateway.cancels).toHaveLength(1);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'refunded' });
});

test('what never arrived goes again, and not before the horizon', async () => {
  world.gateway.cancelBehaviours = ['lose'];
  const id = await wantRefund(world, subscription);
  const sentAt = world.now;
  while ((await refundRow(world, id)).state !== 'done') {
    await refund();
    await world.advance({ minutes: 1 });
    if (world.now.diff(sentAt).as('hours') > 3) throw new Error('it never went again');
    if (world.gateway.cancels.length < 2) continue;
    expect(world.now.diff(sentAt).as('minutes')).toBeGreaterThanOrEqual(60);
  }
  expect(await refundRow(world, id)).toMatchObject({ send_count: 2 });
  expect(givenBack(world, IMP_UID)).toBe(9_900);
});

test('while the payment cannot be seen, nothing is sent, not for days', async () => {
  world.gateway.cancelBehaviours = ['lose'];
  const id = await wantRefund(world, subscription);
  await refund();
  for (const lookUps of ['unclear', 'absent'] as const) {
    world.gateway.lookUps = lookUps;
    for (let hours = 0; hours < 48; hours += 1) {
      await world.advance({ hours: 1 });
      await refund();
    }
    expect(world.gateway.cancels).toHaveLength(1);
  }
  expect(await refundRow(world, id)).toMatchObject({
    state: 'unknown',
    fail_reason: expect.stringMatching(/knows no such payment/),
  });
});

test('a refusal is tried a few times over a day, then fails with its reason for a person', async () => {
  world.gateway.cancelBehaviours = ['refuse', 'refuse', 'refuse', 'refuse', 'refuse', 'refuse'];
  const id = await wantRefund(world, subscription);
  for (let minutes = 0; minutes < 48 * 60; minutes += 10) {
    await refund();
    await world.advance({ minutes: 10 });
  }
  expect(await refundRow(world, id)).toMatchObject({
    state: 'failed',
    send_count: 5,
    fail_reason: 'the gateway refused: 취소기한이 지났습니다.',
  });
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
  expect(await outbox()).toMatchObject([{ kind: 'refund.failed', reason: expect.stringContaining('취소기한') }]);
});

test('a connection that was refused and a token that was refused cost none of the five sends', async () => {
  world.gateway.cancelBehaviours = ['refuse-connection', 'unauthorized'];
  const id = await wantRefund(world, subscription);
  for (let times = 0; times < 3; times += 1) {
    await refund();
    await world.advance({ minutes: 1 });
  }
  expect(await refundRow(world, id)).toMatchObject({ state: 'done', send_count: 3, not_sent_count: 2 });
  expect(givenBack(world, IMP_UID)).toBe(9_900);
});

test('what somebody gave back in the meantime is not given back again', async () => {
  const id = await wantRefund(world, subscription);
  const won = (minor: number) => ({ minor, currency: 'KRW' });
  world.gateway.giveBack({ impUid: IMP_UID, amount: won(9_900), checksum: won(9_900) });
  await refund();
  expect(await refundRow(world, id)).toMatchObject({ state: 'done', send_count: 0 });
  expect(world.gateway.cancels).toHaveLength(0);
});

test('a part that somebody else gave back meanwhile is for a person: it fails, and says so', async () => {
  const id = await wantRefund(world, subscription);
  const won = (minor: number) => ({ minor, currency: 'KRW' });
  world.gateway.giveBack({ impUid: IMP_UID, amount: won(100), checksum: won(9_900) });
  await refund();
  expect(await refundRow(world, id)).toMatchObject({
    state: 'failed',
    fail_reason: expect.stringMatching(/somebody else cancelled: 100/),
  });
  await accountCaptures(world.scheduler);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('a proposal of what came back by another hand is done with it; nothing is sent', async () => {
  const [attempt] = (await invoiceOf(world, subscription)).attempts;
  const { impUid } = world.gateway.captureAgain(attempt?.merchant_uid ?? '');
  const seen = async () => {
    const at = await world.gateway.payment(impUid);
    if (at.kind === 'found') await world.refunder.store.observe([at.record], 'look_up');
    await accountCaptures(world.scheduler);
  };
  await seen();
  expect(await world.database.db.refund.findMany()).toMatchObject([{ state: 'prepared', next_at: null }]);
  const whole = { minor: 9_900, currency: 'KRW' };
  world.gateway.giveBack({ impUid, amount: whole, checksum: whole });
  await seen();
  expect(await world.database.db.refund.findMany()).toMatchObject([{ state: 'done', send_count: 0 }]);
  expect(await outbox()).toMatchObject([{ kind: 'refund.succeeded', imp_uid: impUid, amount: 9_900 }]);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('eight workers beside each other cancel once', async () => {
  await wantRefund(world, subscription);
  await Promise.all(Array.from({ length: 8 }, () => refund()));
  expect(world.gateway.cancels).toHaveLength(1);
});

test('those that are named are worked on, and no others', async () => {
  const id = await wantRefund(world, subscription);
  expect(await refund([])).toBe(0);
  expect(await refund([id])).toBe(1);
});

test('what nobody asked for is not given back while the payment that is to stay does not stand', async () => {
  const id = await unaskedRefund();
  world.gateway.land((await invoiceOf(world, subscription)).attempts[0]?.merchant_uid ?? '', 'cancelled'); // by hand
  await refund();
  expect(world.gateway.cancels).toHaveLength(0);
  expect(await refundRow(world, id)).toMatchObject({
    state: 'prepared',
    fail_reason: `${IMP_UID}, which was to stay, is cancelled`,
  });
  await world.run(); // and its invoice goes to review
  await world.advance({ days: 1 });
  await refund();
  expect(world.gateway.cancels).toHaveLength(0);
});

test.each([
  ['unclear', 'cannot be seen', 0],
  ['truthful', null, 1],
] as const)(
  'what nobody asked for is given back only beside the payment that is to stay: %s',
  async (how, why, cancels) => {
    const id = await unaskedRefund();
    const { payment } = world.gateway;
    world.gateway.payment = (impUid) =>
      how === 'unclear' && impUid === IMP_UID
        ? Promise.resolve({ kind: 'unclear', reason: 'the gateway is down' })
        : payment.call(world.gateway, impUid);
    await refund();
    expect(world.gateway.cancels).toHaveLength(cancels);
    const reason = why === null ? null : expect.stringContaining(why);
    expect(await refundRow(world, id)).toMatchObject({ fail_reason: reason });
  },
);

/** Charged twice under one id: the second is put up, and may be given back by itself. */
async function unaskedRefund(): Promise<string> {
  Object.assign(world.scheduler, { refundDuplicates: 'auto' });
  const uid = (await invoiceOf(world, subscription)).attempts[0]?.merchant_uid ?? '';
  world.gateway.captureAgain(uid);
  await world.worker.store.observe(world.gateway.captures, 'look_up');
  await accountCaptures(world.scheduler);
  const [row] = await world.database.db.refund.findMany();
  return row?.id ?? '';
}
