import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { NotifyDeps } from '../../src/notify/deps.ts';
import { relayDue } from '../../src/notify/relay.ts';
import { type ReplayOrder, replayEvents } from '../../src/operator/replay-events.ts';
import { deliveryStandings, enableEndpoint } from '../../src/store/endpoints.ts';
import { FINGERPRINT } from '../support/world.ts';
import { startTelling, type Telling } from './telling.ts';

let telling: Telling;
let deps: NotifyDeps;
beforeEach(async () => {
  telling = await startTelling();
  deps = telling.notifying('shop');
});
afterEach(() => telling.end());

/** Deliveries that are made, by name; -1 where that one is left alone. */
async function replays(order: Partial<ReplayOrder>, fingerprint = FINGERPRINT): Promise<Record<string, number>> {
  const listeners = deps.listeners.map(({ name, types, address }) => ({ name, types, address }));
  const wanted = { undelivered: false, dryRun: false, ...order };
  const { endpoints } = await replayEvents({ db: telling.db, fingerprint, listeners }, wanted, 'a test');
  return Object.fromEntries(endpoints.map(({ name, deliveries, disabled }) => [name, disabled ? -1 : deliveries]));
}
const start = () => new Date('2027-01-31T00:00:00Z');

test('an event that was delivered goes again under its id, its number and with the same bytes, to who is named alone', async () => {
  deps = telling.notifying('shop', 'other');
  await telling.tell('charge.failed');
  await telling.tell();
  await relayDue(deps);
  const first = telling.came().filter(({ path }) => path === '/shop');
  await relayDue(deps);
  expect(telling.came()).toEqual([]);
  await telling.world.advance({ days: 5 });
  expect(await replays({ ids: [first[0].id], endpoint: 'shop' })).toEqual({ shop: 1 });
  await relayDue(deps);
  expect(telling.came()).toEqual([first[0]]);
  expect(await telling.db.audit.findMany({ where: { action: 'events.replayed' } })).toMatchObject([
    { actor: 'a test', details: { ids: [first[0].id], endpoint: 'shop', undelivered: false } },
  ]);
});

test('of a time all events go again, in their order, of the kinds that are named, to endpoints and to no hook', async () => {
  deps = telling.notifying('shop', 'paid', 'hook:tax');
  for (const kind of ['charge.failed', 'charge.succeeded', 'invoice.paid', 'charge.failed']) {
    await telling.tell(kind);
    await relayDue(deps);
    await telling.world.advance({ hours: 1 });
  }
  telling.came();
  const until = new Date('2027-01-31T04:00:00Z'); // the last one is of that instant
  expect(await replays({ from: start(), until, kinds: ['charge.failed', 'invoice.paid'] })).toEqual({
    shop: 2,
    paid: 1,
  });
  await relayDue(deps);
  const again = telling.came();
  expect(again.filter(({ path }) => path === '/shop').map(({ sequence }) => sequence)).toEqual([1, 3]);
  expect(again.filter(({ path }) => path !== '/shop')).toMatchObject([{ path: '/paid', type: 'invoice.paid' }]);
  expect(await replays({ from: start(), endpoint: 'hook:tax', subscriptionId: 'sub-1' })).toEqual({ 'hook:tax': 4 });
  expect(await replays({ from: start(), subscriptionId: 'nobody' })).toEqual({ shop: 0, paid: 0 });
});

test('what was given up goes again with three days of its own, and what has arrived is left out where that is wished', async () => {
  await telling.tell('charge.failed');
  await relayDue(deps);
  telling.answer(500);
  await telling.tell();
  await relayDue(deps);
  await telling.world.advance({ days: 4 });
  await relayDue(deps);
  expect(await deliveryStandings(telling.db)).toMatchObject([{ name: 'shop', waiting: 0, givenUp: 1 }]);
  telling.came();
  expect(await replays({ from: start(), undelivered: true, dryRun: true })).toEqual({ shop: 1 });
  await relayDue(deps);
  expect(telling.came()).toEqual([]); // a dry run sends nothing
  expect(await replays({ from: start(), undelivered: true })).toEqual({ shop: 1 });
  await relayDue(deps);
  telling.answer(204);
  await telling.world.advance({ days: 2 });
  await relayDue(deps);
  expect(telling.came().map(({ type }) => type)).toEqual(['charge.succeeded', 'charge.succeeded']);
  expect(await deliveryStandings(telling.db)).toEqual([]);
});

test('what is under way is left to whoever has it', async () => {
  await telling.tell();
  await deps.store.takeUpEvents(deps.listeners, { limit: 10, fingerprint: FINGERPRINT });
  const [shop] = deps.listeners;
  if (shop === undefined) throw new Error('there is one');
  const [held] = await deps.store.leaseDeliveries(shop, { limit: 10, leaseSeconds: 60, fingerprint: FINGERPRINT });
  expect(await replays({ from: start(), dryRun: true })).toEqual({ shop: 0 });
  expect(await replays({ from: start() })).toEqual({ shop: 0 });
  if (held === undefined) throw new Error('it is held');
  expect(await deps.store.recordTry(held, { kind: 'delivered', status: 200 })).toBe(true);
});

test('more events than one statement takes go all, each once', async () => {
  await telling.db.$executeRaw`
    INSERT INTO outbox (kind, payload, next_at, created_at)
    SELECT 'sending.stopped', '{}', maedal_now(), maedal_now() + n / 700 * interval '1 microsecond' FROM generate_series(1, 2500) n`;
  deps = telling.notifying('paid');
  await relayDue(deps);
  deps = telling.notifying('shop');
  expect(await replays({ from: start(), dryRun: true })).toEqual({ shop: 2_500 });
  expect(await replays({ from: start() })).toEqual({ shop: 2_500 });
  expect(await telling.db.delivery.count()).toBe(2_500);
});

test('who answered 410 is told again once it is enabled; what it missed can be replayed, and that is told', async () => {
  deps = telling.notifying('shop', 'other');
  telling.receiver.on(({ path }, response) => response.writeHead(path === '/shop' ? 410 : 204).end());
  await telling.tell('charge.failed');
  await relayDue(deps);
  await telling.world.advance({ hours: 1 });
  await telling.tell();
  await relayDue(deps);
  telling.answer(204);
  expect(await replays({ from: start() })).toMatchObject({ shop: -1, other: 3 });
  await expect(replays({ from: start(), endpoint: 'shop' })).rejects.toThrow(/shop is left alone since .*410.*enable/);
  const by = { actor: 'a test', fingerprint: FINGERPRINT };
  expect(await enableEndpoint(telling.db, 'shop', { ...by, fingerprint: 'another' })).toBeNull();
  const enabled = await enableEndpoint(telling.db, 'shop', by);
  expect(enabled).toMatchObject({ reason: 'it answered 410 Gone', missedFrom: new Date('2027-01-31T01:00:00Z') });
  expect(await enableEndpoint(telling.db, 'shop', by)).toBeNull();
  await relayDue(deps);
  telling.came();
  expect(await replays({ from: enabled?.missedFrom, endpoint: 'shop', undelivered: true })).toEqual({ shop: 3 });
  await relayDue(deps);
  expect(
    telling
      .came()
      .map(({ path, type }) => `${path} ${type}`)
      .sort(),
  ).toEqual(['/shop charge.failed', '/shop charge.succeeded', '/shop endpoint.disabled']);
  expect(telling.receiver.received.map(({ body }) => JSON.parse(body).type)).toContain('endpoint.enabled');
});

test.each<[Partial<ReplayOrder>, RegExp]>([
  [{}, /no event is named/],
  [{ ids: ['00000000-0000-4000-8000-000000000000'] }, /no event '00000000-.*kept for 90 days/],
  [{ ids: ['00000000-0000-4000-8000-000000000000'], kinds: ['invoice.paid'] }, /one or the other/],
  [{ from: new Date('2027-02-01'), until: new Date('2027-01-01') }, /is not before until/],
  [{ from: new Date('2027-01-01'), endpoint: 'sho' }, /no endpoint 'sho'; did you mean shop/],
])('a replay of %j is bad input', async (order, problem) => {
  await expect(replays(order)).rejects.toThrow(problem);
});

test("nothing is replayed in another installation's database", async () => {
  await telling.tell();
  await relayDue(deps);
  await expect(replays({ from: start() }, 'another one')).rejects.toThrow(/another installation/);
  expect(await telling.db.delivery.count({ where: { next_at: { not: null } } })).toBe(0);
});
