import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { parseAttemptId } from '../../src/billing/ids.ts';
import type { ChargeJob, ChargeQueue, Consumer } from '../../src/queue/charge-queue.ts';
import { gate, Inbox } from './inbox.ts';

/** A backend for the suite: a queue of its own that can be opened more than once, and can go away. */
export type QueueUnderTest = {
  open(onError: (error: Error) => void): Promise<ChargeQueue>;
  /** Ends every connection and takes no new one. */
  goAway(): Promise<void>;
  /** Takes connections again; resolves once this queue's own producer can have one. */
  comeBack(queue: ChargeQueue): Promise<void>;
  end(): Promise<void>;
};

/** What every doorbell must do, whichever backend carries it. */
export function holdsForEveryQueue(start: () => Promise<QueueUnderTest>): void {
  let backend: QueueUnderTest;
  let queue: ChargeQueue;
  let consumers: Consumer[] = [];
  const errors = new Inbox<Error>();

  beforeAll(async () => {
    backend = await start();
    queue = await backend.open((error) => errors.put(error));
  });
  afterEach(async () => {
    for (const consumer of consumers) await consumer.close();
    consumers = [];
  });
  afterAll(async () => {
    await queue.close();
    await backend.end();
  });

  /** Starts a consumer whose jobs come into the inbox; `handle` may hold them up, or throw. */
  async function listen(concurrency = 1, handle: (job: ChargeJob) => Promise<void> = async () => {}) {
    const inbox = new Inbox<ChargeJob>();
    const consumer = await queue.consume(async (job) => {
      inbox.put(job);
      await handle(job);
    }, concurrency);
    consumers.push(consumer);
    return { inbox, consumer };
  }

  /** What the queue still holds, in any state. */
  async function left(): Promise<number> {
    const counts = await queue.board.getJobCounts();
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  }

  test('every ring is handled, with its ids, and leaves nothing behind', async () => {
    const rung = rings(25);
    const { inbox, consumer } = await listen(5);
    await queue.ring(rung);
    expect(byId(await inbox.take(25))).toEqual(byId(rung));
    await consumer.close();
    expect(await left()).toBe(0);
  });

  test('what was rung before anybody listened is handled, oldest first', async () => {
    const rung = rings(10);
    await queue.ring(rung);
    expect(await queue.waiting()).toBe(10);
    const { inbox } = await listen();
    expect(await inbox.take(10)).toEqual(rung);
    expect(await queue.waiting()).toBe(0);
  });

  test('ringing nothing is fine', async () => {
    await queue.ring([]);
    expect(await left()).toBe(0);
  });

  test('as many jobs are in hand as the concurrency allows, and no more', async () => {
    const door = gate();
    const { inbox, consumer } = await listen(4, () => door.passed);
    await queue.ring(rings(9));
    await inbox.take(4); // all four at once, for none of them can end
    expect(inbox.all).toHaveLength(4);
    door.open();
    await inbox.take(5);
    await consumer.close();
    expect(await left()).toBe(0);
  });

  test('two consumers share the jobs; each job is handled once', async () => {
    const both = new Inbox<ChargeJob>();
    for (const _ of ['one', 'other']) consumers.push(await queue.consume(async (job) => both.put(job), 2));
    const rung = rings(40);
    await queue.ring(rung);
    await both.take(40);
    for (const consumer of consumers) await consumer.close();
    expect(byId(both.all)).toEqual(byId(rung));
  });

  test('an attempt that was handled can be rung again, in its next generation or in the same one', async () => {
    const attemptId = parseAttemptId(randomUUID());
    for (const generation of [1, 2, 2, 3]) {
      const { inbox, consumer } = await listen();
      await queue.ring([{ attemptId, generation }]);
      expect(await inbox.take(1)).toEqual([{ attemptId, generation }]);
      await consumer.close(); // the job has been taken off the queue by now
    }
  });

  test('a ring that is repeated while it waits is handled at least once and does no harm', async () => {
    const [again, last] = [ring(), ring()];
    await queue.ring([again, again]);
    await queue.ring([again]);
    const { inbox, consumer } = await listen();
    await queue.ring([last]);
    await waitFor(inbox, last);
    await consumer.close();
    expect(inbox.all[0]).toEqual(again);
    expect(await left()).toBe(0);
  });

  test('a handler that throws costs its own job only, and is not called again for it', async () => {
    const [bad, good] = [ring(), ring()];
    const { inbox, consumer } = await listen(1, async (job) => {
      if (job.attemptId === bad.attemptId) throw new Error('no');
    });
    await queue.ring([bad, good]);
    expect(await inbox.take(2)).toEqual([bad, good]);
    await consumer.close();
    expect(inbox.all).toHaveLength(2);
    expect(await left()).toBe(0);
  });

  test('closing waits for the job in hand and takes no other', async () => {
    const [door, closed] = [gate(), gate()];
    const { inbox, consumer } = await listen(1, () => door.passed);
    const rung = rings(3);
    await queue.ring(rung);
    await inbox.take(1);
    const closing = consumer.close().then(() => closed.open());
    const late = await listen(1);
    expect(await late.inbox.take(2)).toEqual(rung.slice(1)); // the closing one left both to the other
    expect(await Promise.race([closed.passed.then(() => 'closed'), 'waiting'])).toBe('waiting');
    door.open();
    await closing;
    expect(inbox.all).toEqual([rung[0]]);
  });

  test('closing twice is fine', async () => {
    const { consumer } = await listen();
    await Promise.all([consumer.close(), consumer.close()]);
    await consumer.close();
  });

  test.each([
    ['no ids', {}],
    ['nothing at all', null],
    ['an id that is none', { attemptId: 'charge 1', generation: 1 }],
    ['no generation', { attemptId: randomUUID() }],
    ['a generation that is none', { attemptId: randomUUID(), generation: '1; DROP TABLE attempt' }],
  ])('a job that is not ours (%s) fails alone', async (_, data) => {
    const { inbox, consumer } = await listen();
    await queue.board.add('stranger', data, { removeOnFail: false });
    const rung = rings(1);
    await queue.ring(rung);
    expect(await inbox.take(1)).toEqual(rung);
    await consumer.close();
    const failed = await queue.board.getFailed();
    expect(failed.map((job) => job.failedReason)).toEqual([
      expect.stringMatching(/is not (an attempt id|the number of a ring)/),
    ]);
    for (const job of failed) await job.remove();
  });

  test('a job holds ids and nothing else, is tried once and is not kept', async () => {
    const rung = ring();
    const row = { ...rung, amount: 9_900, customerUid: 'card of somebody' };
    await queue.ring([row]);
    const [job, ...others] = await queue.board.getJobs();
    expect(others).toEqual([]);
    expect(job?.data).toEqual(rung);
    expect(job?.id).toBe(`charge-${rung.attemptId}-${rung.generation}`);
    expect(job?.opts).toMatchObject({ attempts: 1, removeOnComplete: true, removeOnFail: true });
    await queue.board.drain();
  });

  test('while the backend is away, a consumer still closes, after the job in hand', async () => {
    const door = gate();
    const { inbox, consumer } = await listen(1, () => door.passed);
    await queue.ring(rings(1));
    await inbox.take(1);
    await backend.goAway();
    const closed = gate();
    const closing = consumer.close().then(() => closed.open());
    expect(await Promise.race([closed.passed.then(() => 'closed'), 'waiting'])).toBe('waiting');
    door.open();
    await closing;
    await backend.comeBack(queue);
    await queue.board.obliterate({ force: true });
  });

  test('while the backend is away, ringing and counting reject instead of waiting, and a new consumer is refused', async () => {
    await backend.goAway();
    await expect(queue.ring(rings(1))).rejects.toThrow();
    await expect(queue.waiting()).rejects.toThrow();
    await expect(listen()).rejects.toThrow();
    await errors.take(1); // and whoever opened the queue is told
    await backend.comeBack(queue);
    const { inbox } = await listen();
    const rung = ring();
    await queue.ring([rung]);
    await waitFor(inbox, rung);
  });

  test('a consumer outlives its backend being away, with and without a job in hand', async () => {
    const door = gate();
    const [first, second] = [ring(), ring()];
    const { inbox } = await listen(2, (job) => (job.attemptId === first.attemptId ? door.passed : Promise.resolve()));
    await queue.ring([first]);
    await inbox.take(1);
    await backend.goAway();
    door.open();
    await backend.comeBack(queue);
    await queue.ring([second]);
    await waitFor(inbox, second);
  });
}

function ring(): ChargeJob {
  return { attemptId: parseAttemptId(randomUUID()), generation: 1 };
}

function rings(count: number): ChargeJob[] {
  return Array.from({ length: count }, ring);
}

function byId(jobs: readonly ChargeJob[]): ChargeJob[] {
  return [...jobs].sort((a, b) => (a.attemptId < b.attemptId ? -1 : 1));
}

async function waitFor(inbox: Inbox<ChargeJob>, job: ChargeJob): Promise<void> {
  for (;;) {
    const [next] = await inbox.take(1);
    if (next?.attemptId === job.attemptId && next.generation === job.generation) return;
  }
}
