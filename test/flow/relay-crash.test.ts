import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { systemClock } from '../../src/clock.ts';
import { noFailpoints, parseFailpoints } from '../../src/failpoints.ts';
import type { ToldFunction } from '../../src/notify/deps.ts';
import { relayDue } from '../../src/notify/relay.ts';
import { startTelling, type Telling } from '../notify/telling.ts';
import { invoiceOf } from '../support/world.ts';

let telling: Telling;
let calls: string[];
beforeEach(async () => {
  telling = await startTelling();
  calls = [];
});
afterEach(() => telling.end());

/** A process that dies at this failpoint, or at none, and tells an endpoint or a function of the merchant's of payments. */
function relaying(listener: 'an endpoint' | 'a function', point: string | null) {
  const hook: ToldFunction = {
    ...{ name: 'thanks', types: ['invoice.paid'], address: 'a function' },
    call: async (key) => {
      calls.push(key);
      return { kind: 'answered', value: null };
    },
  };
  const deps = telling.notifying('paid');
  const chance = { seed: 1, clock: systemClock, fired: () => undefined };
  return {
    ...deps,
    failpoints: point === null ? noFailpoints : parseFailpoints(`${point}=throw`, chance),
    listeners: listener === 'a function' ? [hook] : deps.listeners,
  };
}

/** Ids under which it was told since this was last asked for. */
function told(): string[] {
  return [...telling.came().map(({ id }) => id), ...calls.splice(0)];
}

test.each([
  // where it dies, who is told, how often it was told by then, and how often by the next process
  ['events.taken_up', 'an endpoint', 0, 1],
  ['delivery.leased', 'an endpoint', 0, 1],
  ['delivery.leased', 'a function', 0, 1],
  ['function.called', 'a function', 1, 1],
  ['delivery.answered', 'an endpoint', 1, 1],
  ['delivery.answered', 'a function', 1, 1],
  ['delivery.recorded', 'an endpoint', 1, 0],
  ['delivery.recorded', 'a function', 1, 0],
] as const)(
  'a process that dies at %s leaves its event to the next, and %s hears of it under one id',
  async (point, listener, before, after) => {
    const { world, db } = telling;
    await world.run();
    const paid = await invoiceOf(world, 'sub-1');
    const { event_id: id } = await db.outbox.findFirstOrThrow({ where: { kind: 'invoice.paid' } });
    await expect(relayDue(relaying(listener, point))).rejects.toThrow(`failpoint ${point}`);
    expect(told()).toEqual(Array(before).fill(id));
    await world.advance({ minutes: 2 }); // its lease is over
    await relayDue(relaying(listener, null));
    expect(told()).toEqual(Array(after).fill(id));
    expect(await db.delivery.findMany()).toMatchObject([{ next_at: null, delivered_at: expect.any(Date) }]);
    expect(await invoiceOf(world, 'sub-1')).toEqual(paid);
    expect(world.gateway.posts).toHaveLength(1);
  },
);
