import { type Job, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { type ChargeQueue, chargeQueue, JOB_OPTIONS, QUEUE_NAME, WORKER_OPTIONS } from './charge-queue.ts';

export type RedisQueueOptions = {
  readonly url: string;
  /** Keeps installations apart that share one Redis. In braces, so that a cluster keeps a queue's keys together. */
  readonly installation: string;
  readonly onError: (error: Error) => void;
};

/** The queue on Redis: for volume. Rejects when Redis cannot be reached. */
export async function openRedisQueue({ url, installation, onError }: RedisQueueOptions): Promise<ChargeQueue> {
  const prefix = `{maedal-${installation}}`;
  let opened = false;
  // A producer that cannot reach Redis says so at once; the scheduler rings again.
  const producing = new Redis(url, {
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    lazyConnect: true,
    retryStrategy: (times) => (opened ? Math.min(times * 50, 2_000) : null),
  });
  producing.on('error', onError);
  await producing.connect();
  opened = true;
  const queue = new Queue(QUEUE_NAME, { connection: producing, prefix, defaultJobOptions: JOB_OPTIONS });
  queue.on('error', onError);
  await queue.waitUntilReady();
  return chargeQueue({
    board: queue,
    addBulk: (jobs) => queue.addBulk(jobs),
    work: async (process, concurrency) => {
      await producing.ping(); // says so where Redis is away; the worker's own connections would wait
      const inHand = new Set<Promise<void>>();
      const tracked = (job: Job) => {
        const work = process(job).finally(() => inHand.delete(work));
        inHand.add(work);
        return work;
      };
      const options = { ...WORKER_OPTIONS, connection: { url, maxRetriesPerRequest: null }, prefix, concurrency };
      const worker = new Worker(QUEUE_NAME, tracked, options);
      worker.on('error', onError);
      await worker.waitUntilReady();
      return {
        close: async () => {
          await worker.pause(true);
          await Promise.allSettled(inHand);
          // BullMQ's own patience has no end: without Redis it would wait for its answers until somebody kills us.
          await worker.close(producing.status !== 'ready');
        },
      };
    },
    close: async () => {
      await queue.close();
      producing.disconnect();
    },
  });
}

/** What an operator must know of a Redis that holds a queue. */
export type RedisFacts = {
  readonly version: string;
  readonly maxmemoryPolicy: string;
  readonly aofEnabled: boolean;
  readonly rdbSave: string;
};

/** Asks Redis how it is set up. Throws when it cannot be reached or refuses to say. */
export async function inspectRedis(url: string): Promise<RedisFacts> {
  const redis = new Redis(url, {
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    lazyConnect: true,
    retryStrategy: () => null,
  });
  redis.on('error', () => undefined); // the rejected call below tells of it
  await redis.connect();
  try {
    const info = await redis.info('server');
    const persistence = await redis.info('persistence');
    const policy = await redis.config('GET', 'maxmemory-policy');
    const save = await redis.config('GET', 'save');
    return {
      version: /redis_version:(\S+)/.exec(info)?.[1] ?? 'unknown',
      maxmemoryPolicy: answer(policy),
      aofEnabled: /aof_enabled:1/.test(persistence),
      rdbSave: answer(save),
    };
  } finally {
    redis.disconnect();
  }
}

function answer(pair: unknown): string {
  return Array.isArray(pair) ? String(pair[1] ?? '') : '';
}
