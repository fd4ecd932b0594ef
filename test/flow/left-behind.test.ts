import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { accountCaptures } from '../../src/scheduler/account-captures.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
let subscription: string;
beforeEach(async () => {
  world = await newWorld();
  await world.subscribe({ externalId: 'canary' });
  subscription = await world.subscribe();
});
afterEach(() => world.end());

const attempts = async () => (await invoiceOf(world, subscription)).attempts;
const won = (minor: number) => ({ minor, currency: 'KRW' });

async function observed(merchantUid: string | undefined): Promise<void> {
  const answer = await world.gateway.lookUp(merchantUid ?? '');
  if (answer.kind === 'found') await world.worker.store.observe(answer.records, 'look_up');
}

function captureOf(merchantUid: string | undefined) {
  const record = world.gateway.records.find((one) => one.merchantUid === merchantUid);
  if (record === undefined) throw new Error(`nothing was captured as ${merchantUid}`);
  return record;
}

/** A second attempt that was sent and proved absent, beside a first one that is captured after all and given back in part. */
async function leftBehind(): Promise<string> {
  world.gateway.script(`card of ${subscription}`, 'decline', 'lose');
  await world.run();
  await world.advance({ days: 1 });
  for (const minutes of [1, 2, 4, 64]) {
    await world.run();
    await world.advance({ minutes });
  }
  await world.run();
  const [first, second] = await attempts();
  expect(second).toMatchObject({ state: 'prepared', send_count: 1 });
  world.gateway.land(first?.merchant_uid ?? '', 'paid');
  world.gateway.giveBack({ impUid: captureOf(first?.merchant_uid).impUid, amount: won(900), checksum: won(9_900) });
  await observed(first?.merchant_uid);
  await accountCaptures(world.scheduler);
  expect(await invoiceOf(world, subscription)).toMatchObject({
    state: 'review',
    attempts: [{}, { state: 'prepared' }],
  });
  return second?.merchant_uid ?? '';
}

/** The gateway has captured it, later than anybody could know. */
async function lands(merchantUid: string): Promise<void> {
  const record = captureOf((await attempts())[0]?.merchant_uid);
  world.gateway.records.push({
    ...record,
    impUid: 'imps_late',
    merchantUid,
    status: 'paid',
    cancelMinor: 0,
  });
  await observed(merchantUid);
}

const unaccounted = () => world.database.db.observation.count({ where: { account_at: { not: null } } });

test('what a review left prepared, and then lands after all, is put before the same person', async () => {
  await lands(await leftBehind());
  await accountCaptures(world.scheduler);
  expect(await attempts()).toMatchObject([{ state: 'declined' }, { state: 'review' }]);
  expect(await unaccounted()).toBe(0);
  const told = await world.database.db.outbox.findMany({ where: { kind: 'invoice.needs_review' } });
  expect(told.map(({ payload }) => Object(payload).imp_uid)).toEqual([expect.any(String), 'imps_late']);
});

test.each([
  ['in part', 900, 'in-review'],
  ['in full', 9_000, 'none'],
] as const)(
  'a capture in review that was given back %s counts beside a late one as far as something is left of it; that one is for a person',
  async (_, more, others) => {
    const uid = await leftBehind();
    const [first] = await attempts();
    const { impUid } = captureOf(first?.merchant_uid);
    world.gateway.giveBack({ impUid, amount: won(more), checksum: won(9_000) });
    await observed(first?.merchant_uid);
    await world.database.db
      .$executeRaw`UPDATE observation SET account_at = NULL, accounted_as = 'review' WHERE imp_uid = ${impUid}`;
    await lands(uid);
    const [late] = await world.scheduler.store.unaccountedCaptures(10, true);
    expect(late?.capture).toMatchObject({ impUid: 'imps_late', attempt: { others } });
    await accountCaptures(world.scheduler);
    expect(await attempts()).toMatchObject([{ state: 'declined' }, { state: 'review' }]);
    expect(await unaccounted()).toBe(0);
  },
);
