import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

async function runFor(hours: number): Promise<void> {
  for (let passed = 0; passed < hours; passed += 1) {
    await world.run();
    await world.advance({ hours: 1 });
  }
}

async function afterADecline(): Promise<{ subscription: string; first: string }> {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  return { subscription, first: (await invoiceOf(world, subscription)).attempts[0]?.merchant_uid ?? '' };
}

test('an earlier attempt that stays neither paid nor failed for a day is for a person, who is told its record', async () => {
  const { subscription, first } = await afterADecline();
  world.gateway.land(first, 'ready');
  await runFor(24 + 23);
  expect((await invoiceOf(world, subscription)).attempts[1]).toMatchObject({ state: 'prepared', send_count: 0 });
  await runFor(3);
  expect(await invoiceOf(world, subscription)).toMatchObject({
    state: 'review',
    reason: expect.stringMatching(/^an earlier attempt is not settled: imps_\w+ ready; so for a day$/),
  });
  expect(world.gateway.posts).toHaveLength(1);
});

test('so is an id that the gateway has shown and does not find any more', async () => {
  const { subscription, first } = await afterADecline();
  world.gateway.lookUps = 'absent';
  await runFor(24 + 26);
  expect(await invoiceOf(world, subscription)).toMatchObject({
    state: 'review',
    reason: `the look-up does not find ${first}, which the gateway has shown before; so for a day`,
  });
});

test('what settles in time goes on, and what begins later is counted from then', async () => {
  const { subscription, first } = await afterADecline();
  world.gateway.land(first, 'ready');
  await runFor(24 + 20);
  world.gateway.land(first, 'failed');
  await runFor(1);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid', attempts: [{}, { state: 'paid' }] });
  expect(await world.database.db.attempt.findFirst({ where: { state: 'paid' } })).toMatchObject({
    unsettled_since: null,
  });
});

test('what cannot be looked up between two such looks does not begin the wait anew', async () => {
  const { subscription, first } = await afterADecline();
  world.gateway.land(first, 'ready');
  await runFor(24 + 12);
  world.gateway.lookUps = 'unclear';
  await runFor(2);
  world.gateway.lookUps = 'truthful';
  await runFor(12);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'review' });
});

test('a send that was proved absent and turns out declined is that decline, and the card is not tried again at once', async () => {
  await world.subscribe({ externalId: 'canary' });
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'lose');
  const attempt = async () => (await invoiceOf(world, subscription)).attempts[0];
  const { lookUp } = world.gateway;
  const sentAt = world.now;
  await world.run();
  const { merchant_uid: merchantUid = '' } = (await attempt()) ?? {};
  // It lands as a decline in the moment in which it is proved absent.
  world.gateway.lookUp = async (uid) => {
    const answer = await lookUp.call(world.gateway, uid);
    if (uid !== merchantUid && world.now.diff(sentAt).as('hours') >= 1) world.gateway.land(merchantUid, 'failed');
    return answer;
  };
  for (let minutes = 0; minutes < 180; minutes += 5) {
    await world.advance({ minutes: 5 });
    await world.run();
  }
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'retrying', failures: 1 });
  expect(await attempt()).toMatchObject({ state: 'declined', send_count: 1 });
  expect(world.gateway.posts.filter((post) => post.merchantUid === merchantUid)).toHaveLength(1);
});
