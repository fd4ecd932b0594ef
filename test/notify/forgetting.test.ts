import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { NotifyDeps } from '../../src/notify/deps.ts';
import { relayDue } from '../../src/notify/relay.ts';
import { deliveryStandings } from '../../src/store/endpoints.ts';
import { startTelling, type Telling } from './telling.ts';

let telling: Telling;
let deps: NotifyDeps;
beforeEach(async () => {
  telling = await startTelling();
  deps = telling.notifying('shop');
});
afterEach(() => telling.end());

test('events are forgotten 90 days after they happened, never one that is still to be delivered', async () => {
  telling.answer(500);
  await telling.tell('charge.failed');
  await relayDue(deps);
  await telling.db.$executeRaw`UPDATE delivery SET gives_up_at = maedal_now() + interval '92 days'`;
  telling.answer(204);
  await telling.tell();
  await relayDue(deps);
  await telling.world.advance({ days: 89 });
  deps = telling.notifying(); // nobody delivers
  await relayDue(deps);
  expect(await telling.db.outbox.count()).toBe(2);
  await telling.tell('invoice.paid');
  await telling.world.advance({ days: 2 });
  await relayDue(deps);
  const left = await telling.db.outbox.findMany({ orderBy: { id: 'asc' }, include: { deliveries: true } });
  expect(left.map(({ kind, deliveries }) => [kind, deliveries.length])).toEqual([
    ['charge.failed', 1], // waits
    ['invoice.paid', 0], // is young
  ]);
  await telling.world.advance({ days: 1 });
  await relayDue({ ...deps, fingerprint: 'another one' });
  expect(await telling.db.outbox.count()).toBe(2);
  await relayDue(deps);
  expect(await telling.db.outbox.count()).toBe(1);
  await telling.tell();
  await relayDue(telling.notifying('shop'));
  expect(telling.came().at(-1)).toMatchObject({ sequence: 4 }); // numbers go on
});

test('what waits for an endpoint that left the configuration is given up after three days, not sooner', async () => {
  telling.answer(500);
  await telling.tell();
  await relayDue(deps);
  await telling.world.advance({ days: 2 });
  await relayDue(telling.notifying('other'));
  expect(await deliveryStandings(telling.db)).toMatchObject([{ name: 'shop', waiting: 1 }]);
  await telling.world.advance({ days: 2 });
  expect(await deliveryStandings(telling.db)).toMatchObject([{ name: 'shop', overdue: 1 }]);
  await relayDue(telling.notifying('other'));
  expect(await telling.db.delivery.findMany()).toMatchObject([
    { next_at: null, delivered_at: null, last_error: 'it is configured no more' },
  ]);
});
