import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
let lookedUp: string[];
beforeEach(async () => {
  world = await newWorld();
  lookedUp = [];
  const { lookUp } = world.gateway;
  world.gateway.lookUp = (merchantUid) => {
    lookedUp.push(merchantUid);
    return lookUp.call(world.gateway, merchantUid);
  };
});
afterEach(() => world.end());

/** The gateway answers nothing from now on; `advance` would have it answer again. */
function goAway(): void {
  world.gateway.readiness = { kind: 'unreachable', reason: 'no connection' };
  world.gateway.lookUps = 'unclear';
}

/** So long, a minute at a time, with the gateway away. */
async function away(minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    await world.advance({ minutes: 1 });
    goAway();
    await world.run();
  }
}

test('while the gateway is away nothing is sent and look-ups go on; when it is back everything is settled, once', async () => {
  const unknown = await world.subscribe();
  world.gateway.script(`card of ${unknown}`, 'capture-silently');
  await world.run();
  const lost = (await invoiceOf(world, unknown)).attempts[0]?.merchant_uid ?? '';
  const due = await world.subscribe({ anchorLocal: '2027-01-31T10:01:00' });
  const declined = await world.subscribe();
  world.gateway.script(`card of ${declined}`, 'decline');
  await world.run();
  const posts = world.gateway.posts.length;
  lookedUp.length = 0;

  await away(90);
  expect(world.gateway.posts).toHaveLength(posts);
  expect(lookedUp.filter((merchantUid) => merchantUid === lost).length).toBeGreaterThan(3);
  expect(await invoiceOf(world, unknown)).toMatchObject({ state: 'open', attempts: [{ state: 'unknown' }] });
  // Our side's fault costs no payer a failure, and each is looked at again within a known time.
  expect(await invoiceOf(world, due)).toMatchObject({ state: 'open', failures: 0, attempts: [{ state: 'prepared' }] });
  for (const subscription of [unknown, due]) expect((await invoiceOf(world, subscription)).next_at).not.toBeNull();

  world.gateway.lookUps = 'truthful';
  await world.advance({ hours: 1 });
  await world.run();
  await world.advance({ days: 1 });
  await world.run();
  for (const subscription of [unknown, due, declined])
    expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
  expect(world.gateway.captures).toHaveLength(3);
  expect(world.gateway.posts).toHaveLength(posts + 2);
});
