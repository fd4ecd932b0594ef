import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { refundDue } from '../../src/worker/refund.ts';
import { refundRow, wantRefund } from '../support/refunds.ts';
import { newWorld, type World } from '../support/world.ts';

let world: World;
let stop: AbortController;
beforeEach(async () => {
  world = await newWorld();
  stop = new AbortController();
});
afterEach(() => world.end());

test('told to stop, it begins no other refund', async () => {
  const ids = [];
  for (let index = 0; index < 2; index += 1) {
    const subscription = await world.subscribe();
    await world.run();
    ids.push(await wantRefund(world, subscription));
  }
  const { cancel } = world.gateway;
  world.gateway.cancel = async (...args: Parameters<typeof cancel>) => {
    stop.abort();
    return cancel.apply(world.gateway, args);
  };
  expect(await refundDue(world.refunder, { signal: stop.signal })).toBe(1);
  expect(world.gateway.cancels).toHaveLength(1);
});

test('a refund that is in hand and has not left does not leave any more, and goes with the next process', async () => {
  const subscription = await world.subscribe();
  await world.run();
  const id = await wantRefund(world, subscription);
  const { payment } = world.gateway;
  world.gateway.payment = async (...args: Parameters<typeof payment>) => {
    stop.abort(); // while it looks
    return payment.apply(world.gateway, args);
  };
  expect(await refundDue(world.refunder, { signal: stop.signal })).toBe(1);
  expect(world.gateway.cancels).toHaveLength(0);
  expect(await refundRow(world, id)).toMatchObject({
    state: 'prepared',
    send_count: 0,
    fail_reason: expect.stringContaining('told to stop'),
  });
  await world.advance({ hours: 1 });
  expect(await refundDue(world.refunder)).toBe(1);
  expect(world.gateway.cancels).toHaveLength(1);
});
