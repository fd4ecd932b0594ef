import { noFailpoints } from '../../src/failpoints.ts';
import { outgoingPost } from '../../src/hooks/outgoing.ts';
import type { Endpoint, NotifyDeps } from '../../src/notify/deps.ts';
import { notifyStore } from '../../src/store/notify-store.ts';
import { handClock } from '../gateway/hand-clock.ts';
import { startReceiver } from '../hooks/receiver.ts';
import { FINGERPRINT, newWorld } from '../support/world.ts';

/** A world with one subscription, `sub-1`, whose events are told to a server of the test's. */
export type Telling = Awaited<ReturnType<typeof startTelling>>;

export async function startTelling() {
  const world = await newWorld();
  const receiver = await startReceiver();
  await world.subscribe({ externalId: 'sub-1' });
  const { db } = world.database;
  const clock = handClock();
  let seen = 0;
  return {
    ...{ world, db, receiver },
    /** What the relay is given where it tells these endpoints, each under a path of its name. */
    notifying: (...names: readonly string[]): NotifyDeps => ({
      ...{ store: notifyStore(db), post: outgoingPost(clock, async () => ['127.0.0.1']), clock },
      ...{ report: world.scheduler.report, failpoints: noFailpoints, fingerprint: FINGERPRINT },
      listeners: names.map((name) => endpoint(name, receiver.url)),
    }),
    /** An event of the subscription happens. */
    tell: async (kind = 'charge.succeeded') => {
      await db.$executeRaw`
        INSERT INTO outbox (kind, subscription_id, payload, next_at) SELECT ${kind}, id, '{}', maedal_now() FROM subscription`;
    },
    answer: (status: number) => receiver.on((_request, response) => response.writeHead(status).end()),
    /** What came since this was last asked for. */
    came: () => {
      const news = receiver.received.slice(seen).map(({ path, body }) => ({ path, ...JSON.parse(body) }));
      seen = receiver.received.length;
      return news;
    },
    end: async () => {
      await receiver.close();
      await world.end();
    },
  };
}

function endpoint(name: string, url: string): Endpoint {
  const at = { url: `${url}/${name}`, allow: { addresses: ['127.0.0.1'] } };
  const secrets = () => [`whsec_${Buffer.alloc(32, 7).toString('base64')}`] as const;
  return { name, types: name === 'paid' ? ['invoice.paid'] : null, address: `address of ${name}`, ...at, secrets };
}
