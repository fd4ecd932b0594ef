import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ChargeAnswer } from '../../src/billing/charge.ts';
import { parseAttemptId } from '../../src/billing/ids.ts';
import { stopStore } from '../../src/store/channel-stops.ts';
import { unknownShareBrake } from '../../src/worker/brake.ts';
import { sharedStops } from '../../src/worker/stops.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
  const clock = { ...world.worker.clock, monotonicMs: () => world.now.toMillis() };
  const stops = sharedStops(stopStore(world.database.db), clock);
  const brake = unknownShareBrake({ store: world.worker.store, stops, clock, maxUnknownShare: 0.2 });
  Object.assign(world.worker, { clock, brake });
});
afterEach(() => world.end());

/** The gateway has too many charges until the answer is called. */
function limited(restSeconds: number): () => void {
  const { charge } = world.gateway;
  world.gateway.charge = async (request): Promise<ChargeAnswer> => {
    world.gateway.posts.push(request);
    return { kind: 'unknown', reason: 'answered HTTP 429', restSeconds };
  };
  return () => Object.assign(world.gateway, { charge });
}

async function pass(seconds: number): Promise<number> {
  await world.advance({ seconds });
  await world.run();
  return world.gateway.posts.length;
}

test('a 429 has its channel rest as long as it says, and what waits costs no failure and no send', async () => {
  const subscriptions = await subscribe(4);
  await world.database.db
    .$executeRaw`UPDATE subscription SET channel = 'kakao' WHERE external_id = ${subscriptions[3]}`;
  const end = limited(300);
  await world.run();
  // One of each channel was told; the others of the first wait for its end.
  expect(world.gateway.posts).toHaveLength(2);
  expect(world.events).toContainEqual({ kind: 'gateway.slowed', channel: 'default', seconds: 300 });
  end();
  expect(await pass(290)).toBe(2);
  expect(await pass(700)).toBe(4);
  const invoices = await Promise.all(subscriptions.map((subscription) => invoiceOf(world, subscription)));
  expect(invoices.map(({ state }) => state).sort()).toEqual(['open', 'open', 'paid', 'paid']);
  for (const { failures, attempts } of invoices) expect([failures, attempts[0]?.send_count]).toEqual([0, 1]);
});

test('what is on its way to its send when another charge is told so does not leave', async () => {
  const [subscription = ''] = await subscribe(1);
  const { billingKey } = world.gateway;
  world.gateway.billingKey = async (...args: Parameters<typeof billingKey>) => {
    const [attempt] = (await invoiceOf(world, subscription)).attempts;
    await world.worker.brake.rest({ channel: 'default', attemptId: parseAttemptId(attempt?.id ?? ''), seconds: 300 });
    return billingKey.apply(world.gateway, args);
  };
  await world.run();
  expect(world.gateway.posts).toHaveLength(0);
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([
    { state: 'prepared', send_count: 0, fail_reason: expect.stringContaining('too many charges') },
  ]);
  expect(await pass(310)).toBe(1);
});

test('sends that were answered 429 are left out of the share without an answer', async () => {
  const { recentSends } = world.worker.store;
  const [slowed = '', lost = ''] = await subscribe(2);
  const end = limited(5);
  await world.run();
  end();
  expect(await recentSends(50)).toEqual({ sends: 0, unknown: 0 });
  world.gateway.script(`card of ${lost}`, 'lose');
  world.gateway.script(`card of ${slowed}`, 'lose');
  await pass(700);
  expect(await recentSends(50)).toEqual({ sends: 1, unknown: 1 });
});

async function subscribe(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let made = 0; made < count; made += 1) ids.push(await world.subscribe());
  return ids;
}
