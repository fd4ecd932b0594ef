import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { merchantUid } from '../../src/billing/ids.ts';
import { sweep } from '../../src/scheduler/sweep.ts';
import { tick } from '../../src/scheduler/tick.ts';
import type { Ring } from '../../src/store/due.ts';
import { runJob } from '../../src/worker/run-job.ts';
import { invoiceOf, invoicesOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

const collecting = (rings: Ring[]) => ({
  ...world.scheduler,
  ring: async (added: readonly Ring[]) => void rings.push(...added),
});

test('eight schedulers that tick at once draw up one invoice for each period and ring it once', async () => {
  for (let index = 0; index < 40; index += 1) await world.subscribe();
  const rings: Ring[] = [];
  await Promise.all(Array.from({ length: 8 }, () => tick(collecting(rings))));
  await sweep(collecting(rings));
  expect(await world.database.db.invoice.count()).toBe(40);
  expect(await world.database.db.attempt.count()).toBe(40);
  expect(new Set(rings.map((ring) => `${ring.attemptId}-${ring.generation}`)).size).toBe(rings.length);
  expect(rings).toHaveLength(40);
});

test('a job run by eight workers at once is charged once', async () => {
  await world.subscribe();
  const rings: Ring[] = [];
  await tick(collecting(rings));
  const [ring] = rings;
  if (ring === undefined) throw new Error('nothing was rung');
  await Promise.all(Array.from({ length: 8 }, () => runJob(world.worker, ring)));
  expect(world.gateway.posts).toHaveLength(1);
  expect(world.events.filter((event) => event.kind === 'job.idle')).toHaveLength(7);
});

test('what was rung and lost by the queue is rung again under a new generation', async () => {
  await world.subscribe();
  const lost: Ring[] = [];
  await tick(collecting(lost));
  await world.advance({ seconds: 119 });
  const rings: Ring[] = [];
  await sweep(collecting(rings));
  expect(rings).toHaveLength(0);
  await world.advance({ seconds: 1 });
  await sweep(collecting(rings));
  expect(rings).toEqual([{ attemptId: lost[0]?.attemptId, generation: 2 }]);
  for (const ring of [...rings, ...lost]) await runJob(world.worker, ring); // the lost one turns up after all
  expect(world.gateway.posts).toHaveLength(1);
});

test('a queue that cannot be reached costs one re-ring, not a charge', async () => {
  const subscription = await world.subscribe();
  const down = { ...world.scheduler, ring: () => Promise.reject(new Error('Redis is away')) };
  await expect(tick(down)).rejects.toThrow('Redis is away');
  await world.advance({ seconds: 120 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('one subscription that cannot be drawn up never stops the others', async () => {
  await world.subscribe({ externalId: 'broken' });
  await world.database.db.$executeRaw`UPDATE subscription SET timezone = 'Mars/Olympus' WHERE external_id = 'broken'`;
  const sound = await world.subscribe();
  await world.run();
  expect(await invoiceOf(world, sound)).toMatchObject({ state: 'paid' });
  expect(world.events.find((event) => event.kind === 'subscription.broken')).toMatchObject({ subscription: 'broken' });
});

test('a row that the database refuses is passed over, and the rest of its batch goes on', async () => {
  const sound = await world.subscribe();
  await world.run();
  // Somebody took the id that the first attempt of `clashing` is bound to get.
  const taken = merchantUid(world.scheduler.hmac, world.scheduler.installation, 'clashing', '2027-01-31', 1);
  await world.database.db.$executeRaw`
    INSERT INTO attempt (invoice_id, number, merchant_uid, state) SELECT id, 2, ${taken}, 'canceled' FROM invoice`;
  await world.subscribe({ externalId: 'clashing' });
  const other = await world.subscribe();
  await world.run();
  expect(await invoiceOf(world, sound)).toMatchObject({ state: 'paid' });
  expect(await invoiceOf(world, other)).toMatchObject({ state: 'paid' });
  expect(await invoicesOf(world, 'clashing')).toEqual([]);
  expect(world.events.filter((event) => event.kind === 'subscription.broken')).toHaveLength(1);
});

test('after an outage the newest period is charged and the missed ones are held, one each tick', async () => {
  const subscription = await world.subscribe();
  await world.run();
  await world.advance({ days: 100 }); // 28 Feb, 31 Mar and 30 Apr began meanwhile
  await world.run();
  expect((await invoicesOf(world, subscription)).map((invoice) => invoice.state)).toEqual(['paid', 'held']);
  await world.advance({ minutes: 1 });
  await world.run();
  await world.advance({ minutes: 1 });
  await world.run();
  await world.advance({ minutes: 1 });
  await world.run();
  expect(
    (await invoicesOf(world, subscription)).map(({ period_key, state, reason }) => [period_key, state, reason]),
  ).toEqual([
    ['2027-01-31', 'paid', null],
    ['2027-02-28', 'held', 'catch_up'],
    ['2027-03-31', 'held', 'catch_up'],
    ['2027-04-30', 'paid', null],
  ]);
});

test('catching up on everything charges what a customer missed once a day, the oldest first, and each subscription goes on a day later', async () => {
  await world.end();
  world = await newWorld('all');
  for (const externalId of ['a', 'b']) await world.subscribe({ externalId, customer: 'one', interval: 'week' });
  await world.run();
  await world.advance({ weeks: 3, hours: 2 });
  const charged: number[] = [];
  for (let hour = 0; hour < 24 * 6; hour += 1) {
    const before = world.gateway.posts.length;
    await world.run();
    charged.push(world.gateway.posts.length - before);
    await world.advance({ hours: 1 });
  }
  const missed = charged.flatMap((count, hour) => (count > 0 ? [[hour, count]] : []));
  // Two weeks of two subscriptions were missed; the third of each is on time, a day after its own second one.
  expect(missed).toEqual([
    [0, 1],
    [24, 1],
    [48, 1],
    [72, 2],
    [96, 1],
  ]);
});

test('a subscription of three periods is billed three times and then ends', async () => {
  const subscription = await world.subscribe({ endsAfter: 3, interval: 'week' });
  for (let day = 0; day < 30; day += 1) {
    await world.run();
    await world.advance({ days: 1 });
  }
  expect(await invoicesOf(world, subscription)).toHaveLength(3);
  expect(await world.database.db.subscription.findFirst()).toMatchObject({ status: 'canceled', next_due_at: null });
});

test('what is left collecting while others are drawn up is settled by the same tick', async () => {
  const paused = await world.subscribe({ externalId: 'paused' });
  await tick(world.scheduler);
  await world.subscribe({ externalId: 'drawn up' });
  const { drawUp } = world.scheduler.store;
  const beside: typeof drawUp = async (...args) => {
    const db = world.database.db;
    await db.$executeRaw`UPDATE subscription SET status = 'paused', paused_at = maedal_now() WHERE external_id = ${paused}`;
    return drawUp(...args);
  };
  Object.assign(world.scheduler.store, { drawUp: beside });
  await tick(world.scheduler);
  expect(await invoiceOf(world, paused)).toMatchObject({ state: 'held' });
});
