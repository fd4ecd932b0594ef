import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { accountCaptures } from '../../src/scheduler/account-captures.ts';
import { sweep } from '../../src/scheduler/sweep.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
let subscription: string;
beforeEach(async () => {
  world = await newWorld();
  subscription = await world.subscribe();
});
afterEach(() => world.end());

const card = () => `card of ${subscription}`;
const attempts = async () => (await invoiceOf(world, subscription)).attempts;
const refunds = () => world.database.db.refund.findMany();
const told = () => world.events.flatMap((event) => (event.kind === 'capture.accounted' ? [event.as] : []));

/** Somebody looks a `merchant_uid` up and writes down what the gateway says: an audit, a webhook, a late watch. */
async function observed(merchantUid: string | undefined): Promise<void> {
  const answer = await world.gateway.lookUp(merchantUid ?? '');
  if (answer.kind === 'found') await world.worker.store.observe(answer.records, 'look_up');
}

async function declinedOnce(): Promise<string | undefined> {
  world.gateway.script(card(), 'decline');
  await world.run();
  return (await attempts())[0]?.merchant_uid;
}

test('a decline that turned paid settles its invoice as soon as somebody sees it, and its retry is never made', async () => {
  const uid = await declinedOnce();
  world.gateway.land(uid ?? '', 'paid');
  await observed(uid);
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid', next_at: null });
  await world.advance({ days: 2 });
  await world.run();
  expect(world.gateway.posts).toHaveLength(1);
  expect(told()).toEqual(['settled']);
});

test('a retry that is prepared when the earlier attempt turns out to be paid is withdrawn', async () => {
  const uid = await declinedOnce();
  await world.advance({ days: 1 });
  world.gateway.readiness = { kind: 'unreachable', reason: 'down' };
  await world.run();
  world.gateway.land(uid ?? '', 'paid');
  await observed(uid);
  await accountCaptures(world.scheduler);
  expect((await attempts()).map((attempt) => attempt.state)).toEqual(['paid', 'canceled']);
  expect((await invoiceOf(world, subscription)).state).toBe('paid');
});

test('while another attempt’s fate is unknown a late capture waits; once that one is paid, it is put up for refund', async () => {
  const uid = await declinedOnce();
  await world.advance({ days: 1 });
  world.gateway.script(card(), 'capture-silently');
  await world.run();
  world.gateway.land(uid ?? '', 'paid');
  await observed(uid);
  await accountCaptures(world.scheduler);
  expect((await attempts()).map((attempt) => attempt.state)).toEqual(['declined', 'unknown']);
  await world.advance({ seconds: 5 });
  await world.run();
  await world.advance({ seconds: 5 });
  await world.run();
  expect((await attempts()).map((attempt) => attempt.state)).toEqual(['declined', 'paid']);
  expect(await refunds()).toMatchObject([{ state: 'prepared', amount: 9_900n, next_at: null, requested_by: 'maedal' }]);
  expect(told()).toEqual(['doubled']);
  expect(await world.database.db.outbox.count({ where: { kind: 'charge.doubled' } })).toBe(1);
  expect((await invoiceOf(world, subscription)).state).toBe('paid');
});

test('once that one is declined instead, the late capture settles the invoice', async () => {
  const uid = await declinedOnce();
  await world.advance({ days: 1 });
  world.gateway.script(card(), 'ready');
  await world.run();
  // No time passes within a run: as if the answer had come a second after the send.
  await world.database.db.$executeRaw`UPDATE observation SET first_seen_at = first_seen_at + interval '1 second'`;
  world.gateway.land(uid ?? '', 'paid');
  await observed(uid);
  world.gateway.land((await attempts())[1]?.merchant_uid ?? '', 'failed');
  await world.advance({ seconds: 15 });
  await world.run();
  await world.advance({ seconds: 5 });
  await world.run();
  expect((await attempts()).map((attempt) => attempt.state)).toEqual(['paid', 'declined']);
  expect(await refunds()).toEqual([]);
});

test('where config says so, a true double is refunded without a person', async () => {
  Object.assign(world, { scheduler: { ...world.scheduler, refundDuplicates: 'auto' } });
  const uid = await declinedOnce();
  await world.advance({ days: 1 });
  await world.run();
  world.gateway.land(uid ?? '', 'paid');
  await observed(uid);
  await accountCaptures(world.scheduler);
  const [refund] = await refunds();
  expect(refund).toMatchObject({ state: 'prepared', next_at: world.now.toJSDate() });
});

test('seen a hundred times, a double is put up for refund once', async () => {
  const uid = await declinedOnce();
  await world.advance({ days: 1 });
  await world.run();
  world.gateway.land(uid ?? '', 'paid');
  for (let times = 0; times < 100; times += 1) {
    await observed(uid);
    await accountCaptures(world.scheduler);
  }
  expect(await refunds()).toHaveLength(1);
});

test('a paid period whose payment somebody cancels at the gateway is for a person: it is not charged again', async () => {
  await world.run();
  const [paid] = await attempts();
  world.gateway.land(paid?.merchant_uid ?? '', 'cancelled');
  await observed(paid?.merchant_uid);
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({
    state: 'review',
    reason: expect.stringMatching(/cancelled at the gateway/),
  });
  await world.advance({ days: 3 });
  await world.run();
  expect(world.gateway.posts).toHaveLength(1);
});

test('what a worker never recorded is settled from the facts alone', async () => {
  world.gateway.script(card(), 'capture-silently');
  await world.run();
  await observed((await attempts())[0]?.merchant_uid);
  await accountCaptures(world.scheduler);
  expect((await attempts())[0]).toMatchObject({ state: 'paid', imp_uid: 'imps_000000000001' });
});

test('what an answer said is kept and settles its invoice, although the lease had ended when it came', async () => {
  const { charge } = world.gateway;
  world.gateway.charge = async (request) => {
    const answer = await charge.call(world.gateway, request);
    await world.advance({ seconds: 91 });
    await sweep(world.scheduler); // whoever is rung now may have the attempt
    return answer;
  };
  world.gateway.lookUps = 'absent';
  await world.run();
  expect(await world.database.db.observation.findMany()).toMatchObject([{ status: 'paid', learnt_by: 'answer' }]);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('of two captures of one attempt, one of them wrong, neither is kept unseen: both are for a person', async () => {
  const uid = await declinedOnce();
  const record = world.gateway.records[0];
  if (record === undefined) throw new Error('nothing was declined');
  const paid = { ...record, status: 'paid', decline: null } as const;
  const wrong = { ...paid, impUid: 'imps_wrong', amount: { minor: 100, currency: 'KRW' }, paidAtMs: 1 };
  await world.worker.store.observe([wrong, { ...paid, impUid: 'imps_right', paidAtMs: 2 }], 'look_up');
  expect(uid).toBeDefined();
  for (let passes = 0; passes < 3; passes += 1) await accountCaptures(world.scheduler);
  expect((await invoiceOf(world, subscription)).state).toBe('review');
  const seen = await world.database.db.observation.findMany({ where: { status: 'paid' }, orderBy: { imp_uid: 'asc' } });
  expect(seen.map(({ imp_uid, accounted_as }) => [imp_uid, accounted_as])).toEqual([
    ['imps_right', 'review'],
    ['imps_wrong', 'review'],
  ]);
});

test('what is for a person waits while another attempt went out meanwhile: nobody would look that one up any more', async () => {
  const first = await declinedOnce();
  world.gateway.script(card(), 'lose');
  world.gateway.land(first ?? '', 'paid');
  const { impUid } = world.gateway.captures[0] ?? { impUid: '' };
  const won = (minor: number) => ({ minor, currency: 'KRW' });
  world.gateway.giveBack({ impUid, amount: won(900), checksum: won(9_900) });
  await world.advance({ days: 1 });
  world.gateway.lookUps = 'absent'; // the look before the retry does not see it
  await world.database.db.observation.deleteMany();
  await world.run();
  world.gateway.lookUps = 'truthful';
  expect(await attempts()).toMatchObject([{ state: 'declined' }, { state: 'unknown' }]);
  await observed(first);
  const [found] = await world.scheduler.store.unaccountedCaptures(10, true);
  if (found === undefined) throw new Error('there is none');
  expect(await world.scheduler.store.putUpForReview(found, 'captured for nothing and cancelled in part')).toBe(false);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'retrying' });
  expect(await world.scheduler.store.unaccountedCaptures(10, true)).toHaveLength(1);
});

test('a capture that is known and not accounted for keeps every other attempt from being sent, whatever a look-up says', async () => {
  const first = await declinedOnce();
  world.gateway.land(first ?? '', 'paid');
  await observed(first);
  await world.advance({ days: 1 });
  world.gateway.land(first ?? '', 'failed'); // as a look-up that lags shows it
  const captures = world.scheduler.store.unaccountedCaptures;
  Object.assign(world.scheduler.store, { unaccountedCaptures: async () => [] }); // the sweep accounts for nothing yet
  await world.run();
  expect(await attempts()).toMatchObject([{ state: 'declined' }, { state: 'prepared', send_count: 0 }]);
  Object.assign(world.scheduler.store, { unaccountedCaptures: captures });
  await world.advance({ minutes: 2 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
  expect(world.gateway.posts).toHaveLength(1);
});

test('a capture whose invoice waits for a person for another reason is put before the same person, once', async () => {
  const first = await declinedOnce();
  await world.advance({ days: 1 });
  await world.run();
  const second = (await attempts())[1]?.merchant_uid;
  world.gateway.land(second ?? '', 'cancelled');
  await observed(second);
  await world.run();
  world.gateway.land(first ?? '', 'paid');
  for (let passes = 0; passes < 3; passes += 1) {
    await observed(first);
    await world.advance({ hours: 1 });
    await world.run();
  }
  expect(await invoiceOf(world, subscription)).toMatchObject({
    state: 'review',
    reason: expect.stringMatching(/cancelled at the gateway/),
  });
  const outbox = await world.database.db.outbox.findMany({ where: { kind: 'invoice.needs_review' } });
  expect(outbox.map(({ payload }) => Object(payload).reason)).toEqual([
    expect.stringMatching(/the period is unpaid/),
    'imps_000000000001 was captured while its invoice waits for a person',
  ]);
  expect(told()).toEqual(['review', 'review']);
});

test('a part that somebody else gives back leaves the invoice paid, and is told', async () => {
  await world.run();
  const [paid] = await attempts();
  const won = (minor: number) => ({ minor, currency: 'KRW' });
  world.gateway.giveBack({ impUid: paid?.imp_uid ?? '', amount: won(1_000), checksum: won(9_900) });
  await observed(paid?.merchant_uid);
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
  expect(await world.database.db.outbox.findMany({ where: { kind: 'refund.recorded_elsewhere' } })).toMatchObject([
    { payload: { imp_uid: paid?.imp_uid, amount: 1_000, currency: 'KRW' } },
  ]);
});
