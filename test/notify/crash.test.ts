import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { noFailpoints } from '../../src/failpoints.ts';
import { outgoingPost } from '../../src/hooks/outgoing.ts';
import type { NotifyDeps } from '../../src/notify/deps.ts';
import { relayDue } from '../../src/notify/relay.ts';
import { notifyStore } from '../../src/store/notify-store.ts';
import { handClock } from '../gateway/hand-clock.ts';
import { type Receiver, startReceiver } from '../hooks/receiver.ts';
import { FINGERPRINT, newWorld, type World } from '../support/world.ts';

let world: World;
let receiver: Receiver;
let deps: NotifyDeps;

beforeEach(async () => {
  world = await newWorld();
  receiver = await startReceiver();
  await world.subscribe({ externalId: 'sub-1' });
  const clock = handClock();
  const endpoint = {
    ...{ name: 'shop', types: null, address: 'a', url: receiver.url, allow: { addresses: ['127.0.0.1'] } },
    secrets: () => [`whsec_${Buffer.alloc(32, 7).toString('base64')}`] as const,
  };
  deps = {
    ...{ store: notifyStore(world.database.db), post: outgoingPost(clock, async () => ['127.0.0.1']), clock },
    ...{ report: world.scheduler.report, failpoints: noFailpoints, listeners: [endpoint], fingerprint: FINGERPRINT },
  };
});
afterEach(async () => {
  await receiver.close();
  await world.end();
});

async function tell(kind: string, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1)
    await world.database.db.$executeRaw`
      INSERT INTO outbox (kind, subscription_id, payload, next_at) SELECT ${kind}, id, '{}', maedal_now() FROM subscription`;
}
const bodies = () => receiver.received.map(({ body }) => JSON.parse(body));
const deliveries = () => world.database.db.delivery.findMany({ orderBy: { id: 'asc' } });

test.each(['outbox', 'lease', 'post', 'record'])(
  'a process that dies at its %s delivers under the same id all the same',
  async (step) => {
    await tell('charge.failed', 2);
    const dead = () => Promise.reject(new Error('dead'));
    const { store } = deps;
    const dying: NotifyDeps = {
      ...deps,
      post: step === 'post' ? dead : deps.post,
      store: {
        ...store,
        takeUpEvents: async (...args) => {
          const taken = await store.takeUpEvents(...args);
          return step === 'outbox' ? dead() : taken;
        },
        leaseDeliveries: async (...args) => {
          const leased = await store.leaseDeliveries(...args);
          return step === 'lease' ? dead() : leased;
        },
        recordTry: step === 'record' ? dead : store.recordTry,
      },
    };
    await expect(relayDue(dying)).rejects.toThrow('dead');
    await world.advance({ minutes: 2 });
    await relayDue(deps);
    const byId = new Map(bodies().map((body) => [body.id, body.sequence]));
    expect([...byId.values()].sort()).toEqual([1, 2]);
    expect(await deliveries()).toMatchObject([
      { next_at: null, last_status: 204 },
      { next_at: null, last_status: 204 },
    ]);
  },
);
