import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { noFailpoints } from '../../src/failpoints.ts';
import { orderSubscription } from '../../src/operator/order-subscription.ts';
import { tick } from '../../src/scheduler/tick.ts';
import { CHANNEL, FINGERPRINT, invoicesOf, newWorld, type World } from '../support/world.ts';

let world: World;
let subscription: string;

beforeEach(async () => {
  world = await newWorld();
  subscription = await world.subscribe();
});
afterEach(() => world.end());

const order = (kind: 'pause' | 'resume') => {
  const channel = () => ({ ...CHANNEL, declinesAreFinal: true });
  const deps = { db: world.database.db, fingerprint: FINGERPRINT, versions: { default: 'test' }, channel };
  const wish = kind === 'resume' ? ({ kind, anchor: 'new' } as const) : ({ kind } as const);
  return orderSubscription(deps, subscription, wish, { actor: 'api', reason: 'by the API' });
};

/** Another scheduler ticks, then a person has the first period begin anew, before the one that has read who is due goes on. */
async function tickOvertaken(meanwhile: () => Promise<void>): Promise<void> {
  const at = async (name: string) => (name === 'tick.begun' ? meanwhile() : undefined);
  await tick({ ...world.scheduler, failpoints: { ...noFailpoints, at } });
}

async function chargeAndBeginAnew(): Promise<void> {
  await world.run();
  await order('pause');
  await order('resume');
}

async function months(count: number): Promise<string[]> {
  for (let day = 0; day < 31 * count; day += 1) {
    await world.advance({ days: 1 });
    await world.run();
  }
  return (await invoicesOf(world, subscription)).map(({ period_key, state }) => `${period_key} ${state}`);
}

test('a scheduler that was overtaken between reading and drawing up does not move on what begins anew', async () => {
  await tickOvertaken(chargeAndBeginAnew);
  const overtaken = await months(2);
  await world.end();
  world = await newWorld();
  subscription = await world.subscribe();
  await chargeAndBeginAnew();
  expect(overtaken).toEqual(await months(2));
  expect(overtaken.length).toBeGreaterThanOrEqual(3);
});
