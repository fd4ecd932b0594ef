import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { openBullMq, type QueueUnderTest } from './queue-under-test.ts';

/** Why BullMQ's locks guard no money here: what they do when a worker is slow, dead, or has another clock. */
let bull: QueueUnderTest;
const SHORT_LOCK = { lockDuration: 600, hold: true };
const LOOKING = { stalledInterval: 100, hold: true };

afterEach(async () => {
  await bull.end();
});

describe.each(['redis', 'postgres'] as const)('on %s', (backend) => {
  beforeEach(async () => {
    bull = await openBullMq(backend);
  });

  test('a job whose worker was stopped longer than its lock runs twice, and both runs come to their end', async () => {
    const stopped = await bull.worker(SHORT_LOCK);
    await bull.queue.add('charge', {}, { jobId: 'charge-1' });
    await stopped.tells('took charge-1');
    stopped.stop();
    const second = await bull.worker(LOOKING);
    await second.tells('took charge-1');
    stopped.goOn();
    for (const worker of [stopped, second]) worker.finish();
    await Promise.all([stopped.tells('ran charge-1'), second.tells('ran charge-1')]);
  });

  test('a job whose worker is killed twice fails for good, whatever its attempts, and no third worker is asked', async () => {
    await bull.queue.add('charge', {}, { jobId: 'charge-1', attempts: 10 });
    for (const settings of [SHORT_LOCK, { ...SHORT_LOCK, ...LOOKING, lockDuration: 600 }]) {
      const worker = await bull.worker(settings);
      await worker.tells('took charge-1');
      await worker.kill();
    }
    const third = await bull.worker(LOOKING);
    await third.tells('failed charge-1 job stalled more than allowable limit');
    expect(third.told).not.toContain('took charge-1');
    expect(await bull.queue.getJobState('charge-1')).toBe('failed');
  });
});

describe('a worker whose clock is 10 minutes ahead', () => {
  test('on Postgres takes a job from a healthy worker with a living lock, and both run it', async () => {
    bull = await openBullMq('postgres');
    const healthy = await bull.worker({ hold: true });
    await bull.queue.add('charge', {}, { jobId: 'charge-1' });
    await healthy.tells('took charge-1');
    const ahead = await bull.worker({ ...LOOKING, clockAheadMs: 600_000 });
    await ahead.tells('took charge-1');
    for (const worker of [healthy, ahead]) worker.finish();
    await Promise.all([healthy.tells('ran charge-1'), ahead.tells('ran charge-1')]);
  });

  test('on Redis does not: locks end by the server’s clock', async () => {
    bull = await openBullMq('redis');
    const healthy = await bull.worker({ hold: true });
    await bull.queue.add('charge', {}, { jobId: 'charge-1' });
    await healthy.tells('took charge-1');
    const ahead = await bull.worker({ ...LOOKING, clockAheadMs: 600_000 });
    await ahead.tells('checked', 5);
    expect(ahead.told).not.toContain('took charge-1');
    healthy.finish();
    await healthy.tells('completed charge-1');
  });
});

describe('after a worker whose clock was an hour ahead looked for stalled jobs once', () => {
  test('on Postgres nobody finds a dead worker’s job until that hour has passed', async () => {
    bull = await afterOneAhead('postgres');
    const right = await bull.worker(LOOKING);
    await right.tells('checked', 15); // 1.5 s: the dead worker's lock of 0.6 s is long over
    expect([right.told.includes('took charge-1'), await bull.queue.getJobState('charge-1')]).toEqual([false, 'active']);
    await forgetLastCheck(bull.url); // and this alone was in the way
    await right.tells('took charge-1');
  });

  test('on Redis the next worker finds it', async () => {
    bull = await afterOneAhead('redis');
    const right = await bull.worker(LOOKING);
    await right.tells('took charge-1');
  });
});

/** A worker an hour ahead has looked and is dead; another was killed with the job in hand. */
async function afterOneAhead(backend: 'redis' | 'postgres'): Promise<QueueUnderTest> {
  const made = await openBullMq(backend);
  const ahead = await made.worker({ ...LOOKING, clockAheadMs: 3_600_000 });
  await ahead.tells('checked');
  await ahead.kill();
  await made.queue.add('charge', {}, { jobId: 'charge-1' });
  const dying = await made.worker(SHORT_LOCK);
  await dying.tells('took charge-1');
  await dying.kill();
  return made;
}

async function forgetLastCheck(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(`DELETE FROM bullmq.meta WHERE field = 'stalled-check'`);
  await client.end();
}
