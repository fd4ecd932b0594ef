import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { invoiceOf, invoicesOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

test('"never heard of it" is never taken for a failure: without a payment known to be paid beside it, nothing is sent', async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'lose');
  for (let days = 0; days < 20; days += 1) {
    await world.run();
    await world.advance({ days: 1 });
  }
  const [invoice] = await invoicesOf(world, subscription);
  expect(invoice?.attempts).toMatchObject([
    { state: 'unknown', send_count: 1, fail_reason: expect.stringMatching(/no payment is known/) },
  ]);
  expect(invoice?.next_at).not.toBeNull();
});

test('a send proved absent goes again under the same id: not before the horizon, and only beside a canary', async () => {
  await world.subscribe({ externalId: 'canary' });
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'lose');
  const sentAt = world.now;
  const posts = () => world.gateway.posts.filter((post) => post.customerUid === `card of ${subscription}`);
  await world.run();
  while (posts().length < 2) {
    await world.advance({ minutes: 5 });
    await world.run();
    if (world.now.diff(sentAt).as('days') > 1) throw new Error('it never went again');
  }
  expect(world.now.diff(sentAt).as('minutes')).toBeGreaterThanOrEqual(60);
  expect(new Set(posts().map((post) => post.merchantUid)).size).toBe(1);
  const invoice = await invoiceOf(world, subscription);
  expect(invoice).toMatchObject({ state: 'paid', failures: 0 });
  expect(invoice.attempts).toMatchObject([{ state: 'paid', send_count: 2, not_sent_count: 0 }]);
});

test('while the look-up does not find what is known to be paid either, "not found" proves nothing', async () => {
  await world.subscribe({ externalId: 'canary' });
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'lose');
  await world.run();
  world.gateway.lookUps = 'absent'; // another account's answers
  for (let hours = 0; hours < 48; hours += 1) {
    await world.advance({ hours: 1 });
    await world.run();
  }
  const invoice = await invoiceOf(world, subscription);
  expect(invoice.attempts).toMatchObject([
    { state: 'unknown', send_count: 1, fail_reason: expect.stringMatching(/either, which was paid/) },
  ]);
});
