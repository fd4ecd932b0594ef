import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { DateTime } from 'luxon';
import { parseAttemptId } from '../../src/billing/ids.ts';
import type { ChargeQueue } from '../../src/queue/charge-queue.ts';
import { migratePostgresQueue, openPostgresQueue } from '../../src/queue/postgres.ts';
import { openRedisQueue } from '../../src/queue/redis.ts';
import { rebuildQueue } from '../../src/scheduler/rebuild-queue.ts';
import { sweep } from '../../src/scheduler/sweep.ts';
import { tick } from '../../src/scheduler/tick.ts';
import { type Ring, ringAgain } from '../../src/store/due.ts';
import { runJob } from '../../src/worker/run-job.ts';
import { gate, Inbox } from '../queue/inbox.ts';
import { startRedis } from '../support/redis-server.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

async function subscribed(count: number): Promise<string[]> {
  const names: string[] = [];
  for (let index = 0; index < count; index += 1) names.push(await world.subscribe());
  return names;
}

async function expectEachChargedOnce(names: readonly string[]): Promise<void> {
  for (const name of names) expect(await invoiceOf(world, name)).toMatchObject({ state: 'paid' });
  expect(world.gateway.captures).toHaveLength(names.length);
  expect(world.gateway.posts).toHaveLength(names.length);
}

const rebuild = () => ({
  databaseNow: world.scheduler.store.databaseNow,
  ringAgain: (limit: number, before: DateTime) => ringAgain(world.database.db, limit, 120, before),
});

/** What is handed on goes through `lies`: it decides what the workers ever see. */
function ringing(lies: (rings: readonly Ring[]) => Promise<readonly Ring[]>) {
  const heard: Ring[] = [];
  const ring = async (rings: readonly Ring[]) => void heard.push(...(await lies(rings)));
  return { heard, deps: { ...world.scheduler, ring } };
}

async function work(jobs: readonly Ring[]): Promise<void> {
  for (const job of jobs) await runJob(world.worker, job);
}

describe('a queue that', () => {
  test('lost everything is filled again from the database', async () => {
    const names = await subscribed(5);
    await tick(ringing(async () => []).deps);
    await world.advance({ minutes: 2 });
    const { heard, deps } = ringing(async (rings) => rings);
    await sweep(deps);
    await work(heard);
    await expectEachChargedOnce(names);
  });

  test('comes back old has nothing done twice by its jobs, and nothing missed for them', async () => {
    const early = await subscribed(3);
    const { heard, deps } = ringing(async (rings) => rings);
    await tick(deps);
    const snapshot = [...heard];
    await work(heard.splice(0));
    const late = await subscribed(3);
    await world.advance({ minutes: 1 });
    await tick(deps); // into a queue that then forgets them
    heard.splice(0);
    await work(snapshot);
    await world.advance({ minutes: 2 });
    await sweep(deps);
    await work([...snapshot, ...heard]);
    await expectEachChargedOnce([...early, ...late]);
  });

  test.each<[string, (rings: readonly Ring[]) => Promise<readonly Ring[]>]>([
    ['keeps every second job only', async (rings) => rings.filter((_, index) => index % 2 === 0)],
    ['doubles and reorders', async (rings) => [...rings, ...rings].reverse()],
    ['invents jobs', async (rings) => [{ attemptId: parseAttemptId(randomUUID()), generation: 7 }, ...rings]],
    ['changes generations', async (rings) => rings.map((ring) => ({ ...ring, generation: ring.generation + 40 }))],
  ])('%s costs time at most', async (_, lies) => {
    const names = await subscribed(6);
    const { heard, deps } = ringing(lies);
    for (let pass = 0; pass < 4; pass += 1) {
      await tick(deps);
      await work(heard.splice(0));
      await world.advance({ minutes: 2 });
    }
    await expectEachChargedOnce(names);
  });

  test('says that it took nothing, though it did, and the other way round, costs time at most', async () => {
    const names = await subscribed(4);
    const heard: Ring[] = [];
    const ring = async (rings: readonly Ring[]) => {
      heard.push(...rings);
      if (rings.length > 0) throw new Error('away');
    };
    await expect(tick({ ...world.scheduler, ring })).rejects.toThrow('away');
    await work(heard);
    await world.advance({ minutes: 2 });
    await tick(world.scheduler);
    await expectEachChargedOnce(names);
  });

  test('is full gets no more, keeps nothing from being due, and is filled when there is room', async () => {
    const names = await subscribed(7);
    const { heard, deps } = ringing(async (rings) => rings);
    await tick({ ...deps, room: async () => 0 });
    expect(heard).toEqual([]);
    await sweep({ ...deps, room: async () => 3 });
    expect(heard).toHaveLength(3);
    await world.advance({ minutes: 10 });
    await sweep({ ...deps, room: async () => 0 }); // also none of the three again
    expect(heard).toHaveLength(3);
    await sweep(deps);
    await work(heard);
    await expectEachChargedOnce(names);
  });
});

describe.each<[string, () => Promise<{ queue: ChargeQueue; end(): Promise<unknown> }>]>([
  [
    'PostgreSQL',
    async () => {
      await migratePostgresQueue(world.database.url);
      const queue = await openPostgresQueue({ url: world.database.url, onError: () => undefined });
      return { queue, end: () => queue.close() };
    },
  ],
  [
    'Redis',
    async () => {
      const redis = await startRedis();
      const queue = await openRedisQueue({ url: redis.url, installation: 'abcd', onError: () => undefined });
      return { queue, end: () => queue.close().then(() => redis.stop()) };
    },
  ],
])('rebuilding a queue in %s', (_, open) => {
  test('rings at once for what was rung and not taken, and for nothing else', async () => {
    const { queue, end } = await open();
    const taken = await subscribed(2);
    const rings: Ring[] = [];
    await tick({ ...world.scheduler, ring: async (added) => void rings.push(...added) });
    await work(rings);
    const waiting = await subscribed(3);
    await world.advance({ seconds: 1 });
    await tick({ ...world.scheduler, ring: (added) => queue.ring(added) });
    await queue.ring([{ attemptId: parseAttemptId(randomUUID()), generation: 1 }]); // of another life
    await world.advance({ seconds: 1 });
    expect(await rebuildQueue(rebuild(), queue)).toEqual({ removed: 4, rung: 3 });
    expect(await queue.waiting()).toBe(3);
    const inbox = new Inbox<Ring>();
    const consumer = await queue.consume(async (job) => {
      await runJob(world.worker, job);
      inbox.put(job);
    }, 2);
    expect((await inbox.take(3)).map(({ generation }) => generation)).toEqual([2, 2, 2]);
    await consumer.close();
    await expectEachChargedOnce([...taken, ...waiting]);
    expect(await rebuildQueue(rebuild(), queue)).toEqual({ removed: 0, rung: 0 });
    await end();
  });

  test('takes nothing out of the hands of a worker', async () => {
    const { queue, end } = await open();
    const names = await subscribed(3);
    await tick({ ...world.scheduler, ring: (added) => queue.ring(added) });
    await world.advance({ seconds: 1 });
    const [begun, door, inbox] = [gate(), gate(), new Inbox<Ring>()];
    const consumer = await queue.consume(async (job) => {
      begun.open();
      await door.passed;
      await runJob(world.worker, job);
      inbox.put(job);
    }, 1);
    await begun.passed;
    expect(await rebuildQueue(rebuild(), queue)).toEqual({ removed: 2, rung: 3 }); // the one in hand has no lease yet
    door.open();
    await inbox.take(4);
    await consumer.close();
    await expectEachChargedOnce(names);
    await end();
  });

  test('frees one that somebody paused', async () => {
    const { queue, end } = await open();
    const names = await subscribed(1);
    await queue.board.pause();
    await tick({ ...world.scheduler, ring: (added) => queue.ring(added) });
    await world.advance({ seconds: 1 });
    await rebuildQueue(rebuild(), queue);
    const inbox = new Inbox<Ring>();
    const consumer = await queue.consume(async (job) => {
      await runJob(world.worker, job);
      inbox.put(job);
    }, 1);
    await inbox.take(1);
    await consumer.close();
    await expectEachChargedOnce(names);
    await end();
  });
});
