import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { parseAttemptId } from '../../src/billing/ids.ts';
import type { ChargeQueue } from '../../src/queue/charge-queue.ts';
import { inspectRedis, openRedisQueue } from '../../src/queue/redis.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { holdsForEveryQueue } from './conformance.ts';

/** A Redis of this file's own: it is stopped and comes back empty, its scripts forgotten with its jobs. */
holdsForEveryQueue(async () => {
  let redis = await startRedis();
  const { url } = redis;
  return {
    open: (onError) => openRedisQueue({ url, installation: 'test', onError }),
    goAway: () => redis.stop(),
    comeBack: async (queue) => {
      redis = await startRedis(Number(new URL(url).port));
      const { client } = queue.board.getBackend();
      const producer = await client;
      if (producer.status !== 'ready') await new Promise<void>((ready) => producer.once('ready', () => ready()));
    },
    end: () => redis.stop(),
  };
});

test('installations that share a Redis do not hear each other', async () => {
  const redis = await startRedis();
  const [ours, theirs] = [await open(redis, 'abcd'), await open(redis, 'efgh')];
  await theirs.ring([{ attemptId: parseAttemptId(randomUUID()), generation: 1 }]);
  expect([await ours.waiting(), await theirs.waiting()]).toEqual([0, 1]);
  for (const end of [ours.close, theirs.close, redis.stop]) await end();
});

test('every key carries one hash tag, so that a cluster keeps the queue on one node', async () => {
  const redis = await startRedis();
  const queue = await open(redis, 'abcd');
  await queue.ring([{ attemptId: parseAttemptId(randomUUID()), generation: 1 }]);
  const looking = new Redis(redis.url);
  const keys = await looking.keys('*');
  await looking.quit();
  expect(keys.length).toBeGreaterThan(2);
  for (const key of keys) expect(key).toMatch(/^\{maedal-abcd\}:charge:/);
  for (const end of [queue.close, redis.stop]) await end();
});

test('a Redis that holds a queue tells how safe the queue is in it', async () => {
  const redis = await startRedis();
  expect(await inspectRedis(redis.url)).toEqual({
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    maxmemoryPolicy: 'noeviction',
    aofEnabled: false,
    rdbSave: '',
  });
  await redis.stop();
});

test('without a Redis, opening and asking reject and leave no connection behind that goes on trying', async () => {
  const redis = await startRedis();
  await redis.stop();
  await expect(open(redis, 'abcd')).rejects.toThrow();
  await expect(inspectRedis(redis.url)).rejects.toThrow();
});

function open(redis: RedisServer, installation: string): Promise<ChargeQueue> {
  return openRedisQueue({ url: redis.url, installation, onError: () => undefined });
}
