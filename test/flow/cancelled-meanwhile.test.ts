import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { accountCaptures } from '../../src/scheduler/account-captures.ts';
import { sweep } from '../../src/scheduler/sweep.ts';
import { auditAtBoot, findingsOf } from '../support/audits.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
let subscription: string;
beforeEach(async () => {
  world = await newWorld();
  subscription = await world.subscribe();
});
afterEach(() => world.end());

const attempts = async () => (await invoiceOf(world, subscription)).attempts;
const won = (minor: number) => ({ minor, currency: 'KRW' });
const inReview = { state: 'review', reason: expect.stringMatching(/cancelled at the gateway, and not by us/) };

async function observed(merchantUid: string | undefined): Promise<void> {
  const answer = await world.gateway.lookUp(merchantUid ?? '');
  if (answer.kind === 'found') await world.worker.store.observe(answer.records, 'look_up');
}

/** Once, right before the next statement of that name: what happens between a reading and what is written after it. */
function before<Name extends string>(
  store: Record<Name, (...of: never[]) => Promise<unknown>>,
  name: Name,
  happen: () => Promise<void>,
): void {
  const { [name]: statement } = store;
  const once = async (...of: never[]) => {
    Object.assign(store, { [name]: statement });
    await happen();
    return statement(...of);
  };
  Object.assign(store, { [name]: once });
}

test('a cancellation seen between the sweep’s reading and its word "settles" is not forgotten with it', async () => {
  await world.run();
  const [paid] = await attempts();
  const impUid = paid?.imp_uid ?? '';
  world.gateway.giveBack({ impUid, amount: won(1_000), checksum: won(9_900) });
  await observed(paid?.merchant_uid);
  before(world.scheduler.store, 'accountAs', async () => {
    world.gateway.giveBack({ impUid, amount: won(8_900), checksum: won(8_900) });
    await observed(paid?.merchant_uid);
  });
  await accountCaptures(world.scheduler);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
  await accountCaptures(world.scheduler);
  expect(await invoiceOf(world, subscription)).toMatchObject(inReview);
});

test.each(['worker', 'scheduler'] as const)(
  'a cancellation seen before the %s records what it had read as paid is not forgotten with that',
  async (actor) => {
    if (actor === 'scheduler') await capturedWithoutAnswer();
    before(world[actor].store, 'record', async () => {
      const [sent] = await attempts();
      world.gateway.land(sent?.merchant_uid ?? '', 'cancelled');
      await observed(sent?.merchant_uid);
    });
    await (actor === 'worker' ? world.run() : accountCaptures(world.scheduler));
    expect(await attempts()).toMatchObject([{ state: 'paid' }]);
    await accountCaptures(world.scheduler);
    expect(await invoiceOf(world, subscription)).toMatchObject(inReview);
  },
);

test('a cancellation that the sweep took for returned while the worker had the answer in hand is accounted for anew', async () => {
  before(world.worker.store, 'record', async () => {
    const [sent] = await attempts();
    world.gateway.land(sent?.merchant_uid ?? '', 'cancelled');
    await observed(sent?.merchant_uid);
    await accountCaptures(world.scheduler); // nothing counts it yet
  });
  await world.run();
  expect(await attempts()).toMatchObject([{ state: 'paid' }]);
  await accountCaptures(world.scheduler);
  expect(await invoiceOf(world, subscription)).toMatchObject(inReview);
});

async function capturedWithoutAnswer(): Promise<void> {
  world.gateway.script(`card of ${subscription}`, 'capture-silently');
  await world.run();
  await observed((await attempts())[0]?.merchant_uid);
}

test('what is cancelled in part while it is put up for refund is put up as what is left of it', async () => {
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  const [first] = await attempts();
  await world.advance({ days: 1 });
  await world.run();
  world.gateway.land(first?.merchant_uid ?? '', 'paid');
  await observed(first?.merchant_uid);
  before(world.scheduler.store, 'putUpForRefund', async () => {
    const impUid = world.gateway.records.find(({ merchantUid }) => merchantUid === first?.merchant_uid)?.impUid ?? '';
    world.gateway.giveBack({ impUid, amount: won(900), checksum: won(9_900) });
    await observed(first?.merchant_uid);
  });
  await accountCaptures(world.scheduler);
  const proposed = () => world.database.db.refund.findMany({ where: { state: 'prepared' } });
  expect(await proposed()).toEqual([]);
  await accountCaptures(world.scheduler);
  expect(await proposed()).toMatchObject([{ amount: 9_000n, reason: expect.stringMatching(/cancelled in part/) }]);
});

test.each(['by one sweep after the other', 'by another sweep in between'] as const)(
  'what was captured again pays the period, and is not given back, where the first payment was cancelled: %s',
  async (whose) => {
    await world.run();
    const [paid] = await attempts();
    const { impUid } = world.gateway.captureAgain(paid?.merchant_uid ?? '');
    world.gateway.land(paid?.merchant_uid ?? '', 'cancelled'); // the first of the two
    await observed(paid?.merchant_uid);
    if (whose === 'by another sweep in between')
      before(world.scheduler.store, 'putUpForRefund', async () => void (await accountCaptures(world.scheduler)));
    await accountCaptures(world.scheduler); // it read both while the first still counted
    await accountCaptures(world.scheduler);
    expect(await world.database.db.refund.findMany()).toEqual([]);
    expect(await invoiceOf(world, subscription)).toMatchObject({
      state: 'paid',
      attempts: [{ state: 'paid', imp_uid: impUid }],
    });
  },
);

test('what an audit learns of another amount, before the worker records the payment, goes to review', async () => {
  before(world.worker.store, 'record', async () => {
    const [record] = world.gateway.records;
    if (record === undefined) throw new Error('nothing was captured');
    await world.audits.store.observe([{ ...record, amount: won(99_000) }], 'audit');
  });
  await world.run();
  await accountCaptures(world.scheduler);
  expect(await invoiceOf(world, subscription)).toMatchObject({
    state: 'review',
    reason: expect.stringMatching(/its amount is 99000 KRW/),
  });
});

test('a payment given back whole that still counts, however that came about, is found by every audit until a person has it', async () => {
  await world.run();
  const [paid] = await attempts();
  world.gateway.land(paid?.merchant_uid ?? '', 'cancelled');
  await observed(paid?.merchant_uid);
  await world.database.db.$executeRaw`UPDATE observation SET account_at = NULL, accounted_as = 'settles'`;
  await world.advance({ minutes: 61 });
  expect(await auditAtBoot(world)).toMatchObject({ counts: { uncounted: 1 } });
  await sweep(world.scheduler);
  expect(await invoiceOf(world, subscription)).toMatchObject(inReview);
  await world.advance({ minutes: 1 });
  expect(await auditAtBoot(world)).toMatchObject({ findings: [] });
  expect(findingsOf(world)).toEqual(['uncounted']);
});
