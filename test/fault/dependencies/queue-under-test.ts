import { createPostgresBackend, Queue } from 'bullmq';
import { migratePostgresQueue } from '../../../src/queue/postgres.ts';
import { emptyDatabase } from '../../support/database.ts';
import { startRedis } from '../../support/redis-server.ts';
import { WorkerProcess, type WorkerSettings } from './worker-process.ts';

/** A bare BullMQ queue with nothing of ours around it, and the workers on it. */
export type QueueUnderTest = {
  readonly url: string;
  readonly queue: Queue;
  worker(settings?: Omit<WorkerSettings, 'backend' | 'url' | 'queue'>): Promise<WorkerProcess>;
  /** Kills its workers and removes everything. */
  end(): Promise<void>;
};

/** On a server, or a database, of its own. */
export async function openBullMq(backend: WorkerSettings['backend']): Promise<QueueUnderTest> {
  const name = 'bare';
  const store = backend === 'redis' ? await startRedis() : await migratedDatabase();
  const queue =
    backend === 'redis'
      ? new Queue(name, { connection: { url: store.url } })
      : // The one cast: BullMQ's types tell the backends apart; the calls tested here are the same.
        (new Queue(name, { connection: { connectionString: store.url } }, createPostgresBackend) as unknown as Queue);
  queue.on('error', () => undefined);
  await queue.waitUntilReady();
  const workers: WorkerProcess[] = [];
  return {
    url: store.url,
    queue,
    worker: async (settings) => {
      const worker = await WorkerProcess.start({ backend, url: store.url, queue: name, ...settings });
      workers.push(worker);
      return worker;
    },
    end: async () => {
      for (const worker of workers) await worker.kill();
      await queue.close();
      await store.stop();
    },
  };
}

async function migratedDatabase(): Promise<{ url: string; stop(): Promise<void> }> {
  const database = await emptyDatabase();
  await migratePostgresQueue(database.url);
  return { url: database.url, stop: database.drop };
}
