import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openBullMq, type QueueUnderTest } from './queue-under-test.ts';
import type { WorkerProcess } from './worker-process.ts';

/** Why a ring has a generation in its job id, and why finished jobs are removed. */
describe.each(['redis', 'postgres'] as const)('on %s', (backend) => {
  let bull: QueueUnderTest;
  let worker: WorkerProcess;

  beforeAll(async () => {
    bull = await openBullMq(backend);
    worker = await bull.worker();
  });
  afterAll(async () => {
    await bull.end();
  });

  test.each([
    ['completed', {}],
    ['failed', { fail: true }],
  ])(
    'an id whose job has %s and was kept is ignored in silence; add() answers as if it were queued',
    async (state, data) => {
      const jobId = `kept-${state}`;
      await bull.queue.add('charge', data, { jobId });
      await worker.tells(`${state} ${jobId}`);
      const again = await bull.queue.add('charge', { ring: 'new' }, { jobId });
      expect([again.id, again.data]).toEqual([jobId, { ring: 'new' }]);
      await bull.queue.add('charge', {}, { jobId: `behind-${state}` });
      await worker.tells(`completed behind-${state}`);
      expect(worker.told.filter((line) => line === `took ${jobId}`)).toHaveLength(1);
      expect([await bull.queue.getJobState(jobId), (await bull.queue.getJob(jobId))?.data]).toEqual([state, data]);
    },
  );

  test('an id whose job was removed when it ended is free again', async () => {
    for (const data of [{}, { fail: true }, {}]) {
      await bull.queue.add('charge', data, { jobId: 'removed', removeOnComplete: true, removeOnFail: true });
      await worker.tells('fail' in data ? 'failed removed' : 'completed removed');
    }
    expect(worker.told.filter((line) => line === 'took removed')).toHaveLength(3);
  });

  test.each(['123', '0', 'charge:1'])('the id %s is refused', async (jobId) => {
    await expect(bull.queue.add('charge', {}, { jobId })).rejects.toThrow(/^(Custom Id|JobId) cannot/);
  });
});
