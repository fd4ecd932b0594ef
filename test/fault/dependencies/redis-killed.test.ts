import { expect, test } from '@jest/globals';
import { Queue } from 'bullmq';
import { LastingRedis } from './lasting-redis.ts';

/** Why losing the queue is a normal event, and what an operator can do about it. */
test.each([
  ['as it comes, with snapshots only, loses every one', [], 0],
  ['with an append-only file, synced each second, keeps every one', ['--appendonly', 'yes'], 1_000],
] as const)('of 1,000 acknowledged adds a Redis that is killed, %s', async (_, settings, kept) => {
  const redis = await LastingRedis.start(settings);
  const before = new Queue('bare', { connection: { url: redis.url } });
  before.on('error', () => undefined);
  const added = await Promise.all(
    Array.from({ length: 1_000 }, (_, index) => before.add('charge', {}, { jobId: `charge-${index}` })),
  );
  expect([added.length, await before.getWaitingCount()]).toEqual([1_000, 1_000]);
  await redis.kill();
  await before.close();
  await redis.startAgain();
  const after = new Queue('bare', { connection: { url: redis.url } });
  expect(await after.getWaitingCount()).toBe(kept);
  await after.close();
  await redis.remove();
});
