import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { databaseIsAway } from '../../src/store/away.ts';
import { chargeStore } from '../../src/store/charge-store.ts';
import { type Db, openDb } from '../../src/store/db.ts';
import { FaultProxy } from '../fault/proxy/fault-proxy.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

// The gateway is up all the while: the worker alone loses its database, in the middle of a charge.

let world: World;
let proxy: FaultProxy;
let reached: Db;
beforeEach(async () => {
  world = await newWorld();
  proxy = await FaultProxy.start({ upstream: world.database.url, wire: 'postgres' });
  reached = openDb({ url: proxy.url, who: 'maedal/worker' });
  Object.assign(world, { worker: { ...world.worker, store: chargeStore(reached) } });
});
afterEach(async () => {
  await reached.$disconnect();
  await proxy.close();
  await world.end();
});

/** Nobody is connected to the database from here on, and connecting is refused, until `proxy.heal()`. */
function goAway(): void {
  proxy.arm({ kind: 'refuse' });
  proxy.cutAll();
}

/** A run that the outage ends, told as one; the worker is left as the next job finds it. */
async function runIntoTheOutage(): Promise<void> {
  const thrown = await world.run().then(
    () => null,
    (error: unknown) => error,
  );
  expect(databaseIsAway(thrown)).toBe(true);
}

test('an answer that arrives while the database is away is looked up when it is back, and charged once', async () => {
  const subscription = await world.subscribe();
  const { charge } = world.gateway;
  world.gateway.charge = (request) => {
    goAway();
    return charge.call(world.gateway, request);
  };
  await runIntoTheOutage();
  expect(world.gateway.captures).toHaveLength(1);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'open', attempts: [{ state: 'sent' }] });
  await world.advance({ minutes: 3 });
  await runIntoTheOutage(); // still away, whoever comes for it
  await proxy.heal();
  await world.advance({ minutes: 3 });
  await world.run();
  await world.advance({ minutes: 1 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid', attempts: [{ send_count: 1 }] });
  expect(world.gateway.posts).toHaveLength(1);
});

test('a database that goes away just before an intent has nothing sent, and charged once when it is back', async () => {
  const subscription = await world.subscribe();
  const { ready } = world.gateway;
  let asked = 0;
  world.gateway.ready = async (options) => {
    asked += 1;
    if (asked === 2) goAway(); // the last question before the intent
    return ready.call(world.gateway, options);
  };
  await runIntoTheOutage();
  expect(asked).toBe(2);
  expect(world.gateway.posts).toEqual([]);
  await proxy.heal();
  await world.advance({ minutes: 3 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid', attempts: [{ send_count: 1 }] });
});
