import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { noFailpoints } from '../../src/failpoints.ts';
import { outgoingPost } from '../../src/hooks/outgoing.ts';
import { deliverDue } from '../../src/notify/deliver.ts';
import type { Endpoint, NotifyDeps } from '../../src/notify/deps.ts';
import { relayDue, startRelay } from '../../src/notify/relay.ts';
import { notifyStore } from '../../src/store/notify-store.ts';
import { handClock } from '../gateway/hand-clock.ts';
import { type Receiver, startReceiver } from '../hooks/receiver.ts';
import { FINGERPRINT, newWorld, type World } from '../support/world.ts';

const SECRETS = [7, 9].map((byte) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`) as [string, string];

let world: World;
let receiver: Receiver;
let subscription: string;
let deps: NotifyDeps;

beforeEach(async () => {
  world = await newWorld();
  receiver = await startReceiver();
  subscription = await world.subscribe();
  deps = notifying([endpoint('shop')]);
});
afterEach(async () => {
  await receiver.close();
  await world.end();
});

const allow = { addresses: ['127.0.0.1'] };
const endpoint = (name: string, over: Partial<Endpoint> = {}): Endpoint => ({
  ...{
    name,
    types: null,
    address: `address of ${name}`,
    url: `${receiver.url}/${name}`,
    allow,
    secrets: () => SECRETS,
  },
  ...over,
});
function notifying(endpoints: readonly Endpoint[], clock = handClock()): NotifyDeps {
  const post = outgoingPost(clock, async () => ['127.0.0.1']);
  return {
    store: notifyStore(world.database.db),
    post,
    clock,
    report: world.scheduler.report,
    failpoints: noFailpoints,
    listeners: endpoints,
    fingerprint: FINGERPRINT,
  };
}
async function tell(kind = 'charge.succeeded', times = 1): Promise<void> {
  for (let time = 0; time < times; time += 1)
    await world.database.db.$executeRaw`
      INSERT INTO outbox (kind, subscription_id, payload, next_at)
      SELECT ${kind}, id, jsonb_build_object('told', ${time}::integer), maedal_now() FROM subscription WHERE external_id = ${subscription}`;
}
const bodies = () => receiver.received.map(({ body }) => JSON.parse(body));
const deliveries = () => world.database.db.delivery.findMany({ orderBy: { id: 'asc' } });

test('a charge is told once, in order, each event signed so that either secret verifies it, with what it is about', async () => {
  await world.run();
  await relayDue(deps);
  await relayDue(deps);
  expect(bodies().map(({ type, sequence }) => [type, sequence])).toEqual([
    ['charge.succeeded', 1],
    ['invoice.paid', 2],
  ]);
  expect(bodies()[0]).toMatchObject({
    timestamp: '2027-01-31T01:00:00.000Z',
    data: {
      ...{ subscription_id: subscription, customer_id: `customer of ${subscription}`, period: '2027-01-31' },
      ...{ amount: 9_900, currency: 'KRW', subscription: { status: 'active' }, invoice: { status: 'paid' } },
    },
  });
  for (const { headers, body } of receiver.received) {
    expect(headers['webhook-id']).toBe(JSON.parse(body).id);
    expect(headers['webhook-timestamp']).toBe('1801357200');
    for (const [index, secret] of SECRETS.entries())
      expect(headers['webhook-signature']?.split(' ')[index]).toBe(
        new Webhook(secret).sign(String(headers['webhook-id']), new Date('2027-01-31T01:00:00Z'), body),
      );
  }
  expect(await deliveries()).toMatchObject([
    { tries: 1, last_status: 204, next_at: null },
    { tries: 1, last_status: 204, next_at: null },
  ]);
});

test('an endpoint is told of the kinds that it names alone', async () => {
  await world.run();
  await relayDue(
    notifying([endpoint('paid', { types: ['invoice.paid'] }), endpoint('none', { types: ['refund.failed'] })]),
  );
  expect(receiver.received.map(({ path }) => path)).toEqual(['/paid']);
});

test('without an endpoint events are numbered all the same, and none is sent later by itself', async () => {
  await tell('charge.failed', 3);
  await relayDue(notifying([]));
  await relayDue(deps);
  expect(receiver.received).toEqual([]);
  await tell();
  await relayDue(deps);
  expect(bodies()).toMatchObject([{ sequence: 4 }]);
});

test.each([
  ['500', 500],
  ['a redirect', 302],
  ['404', 404],
])('%s is told again under the same id, later each time, for three days', async (_, status) => {
  receiver.on((_request, response) => response.writeHead(status, { location: `${receiver.url}/elsewhere` }).end());
  await tell();
  await relayDue(deps);
  const waits: number[] = [];
  for (let [delivery] = await deliveries(); delivery?.next_at != null; [delivery] = await deliveries()) {
    const waitSeconds = (delivery.next_at.getTime() - world.now.toMillis()) / 1_000;
    waits.push(Math.round(waitSeconds));
    await world.advance({ seconds: waitSeconds - 0.5 });
    await relayDue(deps);
    expect(receiver.received).toHaveLength(waits.length); // not a moment sooner
    await world.advance({ seconds: 1 });
    await relayDue(deps);
  }
  expect(new Set(bodies().map(({ id }) => id)).size).toBe(1);
  expect(receiver.received.filter(({ path }) => path === '/elsewhere')).toEqual([]);
  expect(waits).toHaveLength(10);
  expect(waits.every((wait, index) => index === 0 || wait > (waits[index - 1] ?? 0) * 0.8)).toBe(true);
  const total = waits.reduce((sum, wait) => sum + wait, 0);
  expect(total).toBeGreaterThan(59 * 3_600);
  expect(total).toBeLessThanOrEqual(72 * 3_600);
  expect(await deliveries()).toMatchObject([
    { delivered_at: null, last_status: status, last_error: `answered ${status}` },
  ]);
});

test.each([
  ['seconds', '600'],
  ['a date', 'Sun, 31 Jan 2027 01:10:00 GMT'],
])('a receiver that is busy is left alone for as long as its Retry-After says, in %s', async (_, value) => {
  receiver.on((_request, response) => response.writeHead(503, { 'retry-after': value }).end());
  await tell();
  await relayDue(deps);
  const [delivery] = await deliveries();
  expect(delivery?.next_at?.toISOString()).toBe('2027-01-31T01:10:00.000Z');
});

test('410 disables the endpoint: nothing goes there any more, and that is told', async () => {
  receiver.on(({ path }, response) => response.writeHead(path === '/shop' ? 410 : 204).end());
  await tell('charge.failed', 3);
  const both = notifying([endpoint('shop'), endpoint('other')]);
  await relayDue(both);
  await tell();
  await relayDue(both);
  expect(receiver.received.filter(({ path }) => path === '/shop')).toHaveLength(1);
  expect(bodies().map(({ type, data }) => [type, data.endpoint ?? null])).toContainEqual(['endpoint.disabled', 'shop']);
  expect(world.events).toContainEqual({ kind: 'endpoint.disabled', endpoint: 'shop', reason: 'it answered 410 Gone' });
  await tell();
  await relayDue(notifying([endpoint('shop', { address: 'another one', url: `${receiver.url}/moved` })]));
  expect(receiver.received.at(-1)?.path).toBe('/moved'); // at another address it is told again
});

test('of several tries that are answered 410 at once none is made again', async () => {
  receiver.on((_request, response) => response.writeHead(410).end());
  for (let time = 0; time < 8; time += 1)
    await world.database.db
      .$executeRaw`INSERT INTO outbox (kind, payload, next_at) VALUES ('sending.stopped', '{}', maedal_now())`;
  await relayDue(deps);
  expect(receiver.received).toHaveLength(8);
  expect((await deliveries()).filter(({ next_at: next }) => next !== null)).toEqual([]);
  expect(world.events.filter(({ kind }) => kind === 'endpoint.disabled')).toHaveLength(1);
});

test('an endpoint that hangs holds up no other, and what it was sent goes again', async () => {
  const clock = handClock();
  let hung = () => {};
  const hanging = new Promise<void>((resolve) => {
    hung = resolve;
  });
  receiver.on(({ path }, response) => (path === '/other' ? response.writeHead(204).end() : hung()));
  await tell('charge.failed', 20);
  const both = notifying([endpoint('shop'), endpoint('other')], clock);
  await relayDue({ ...both, listeners: [endpoint('shop'), endpoint('other')].map((one) => ({ ...one, types: [] })) });
  await tell('charge.failed', 20);
  await both.store.takeUpEvents(both.listeners, { limit: 100, fingerprint: FINGERPRINT });
  const shop = deliverDue(both, endpoint('shop'));
  await hanging;
  for (let more = 1; more > 0; more = await deliverDue(both, endpoint('other')));
  expect(receiver.received.filter(({ path }) => path === '/other')).toHaveLength(20);
  clock.advance(15_000);
  await shop;
  expect((await deliveries()).filter(({ endpoint: of, tries }) => of === 'shop' && tries > 0)).toMatchObject([
    { last_error: 'no whole answer within 15000 ms' },
  ]);
});

test('of one subscription an event waits for those before it that were not tried; one that failed is not waited for', async () => {
  let fails = true;
  receiver.on((_request, response) => {
    response.writeHead(fails ? 500 : 204).end();
    fails = false;
  });
  await tell('charge.failed', 3);
  await relayDue(deps);
  expect(bodies().map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  await world.advance({ minutes: 1 });
  await relayDue(deps);
  expect(bodies().map(({ sequence }) => sequence)).toEqual([1, 2, 3, 1]);
});

test('nothing of another installation is delivered', async () => {
  await tell();
  await relayDue({ ...deps, fingerprint: 'another database' });
  expect(receiver.received).toEqual([]);
  await relayDue(deps);
  expect(receiver.received).toHaveLength(1);
});

test('a loop that is closed ends the tries in hand, which are made again', async () => {
  let hung = () => {};
  const hanging = new Promise<void>((resolve) => {
    hung = resolve;
  });
  receiver.on(() => hung());
  await tell();
  await deps.store.takeUpEvents(deps.listeners, { limit: 10, fingerprint: FINGERPRINT }); // or its first pass finds nothing
  const relay = startRelay(deps);
  await hanging;
  await relay.close();
  receiver.on((_request, response) => response.writeHead(204).end());
  await world.advance({ minutes: 2 });
  await relayDue(deps);
  expect(new Set(bodies().map(({ id }) => id)).size).toBe(1);
  expect(receiver.received).toHaveLength(2);
});
