import { createPostgresBackend, Queue, Worker } from 'bullmq';
import { Client } from 'pg';
import { type ChargeQueue, chargeQueue, JOB_OPTIONS, QUEUE_NAME, WORKER_OPTIONS } from './charge-queue.ts';

export type PostgresQueueOptions = { readonly url: string; readonly onError: (error: Error) => void };

/** The queue in the database itself (schema `bullmq`): the default where no Redis is configured. */
export async function openPostgresQueue({ url, onError }: PostgresQueueOptions): Promise<ChargeQueue> {
  const queue = new Queue(
    QUEUE_NAME,
    { connection: connection(url, 4), defaultJobOptions: JOB_OPTIONS },
    createPostgresBackend,
  );
  queue.on('error', onError);
  await queue.waitUntilReady();
  return chargeQueue({
    // The one cast: BullMQ's types tell the backends apart, Bull Board's adapter names Redis and serves either.
    board: queue as unknown as Queue,
    addBulk: (jobs) => queue.addBulk(jobs),
    work: (process, concurrency) => {
      const options = { ...WORKER_OPTIONS, connection: connection(url, 10), concurrency };
      const worker = new Worker(QUEUE_NAME, process, options, createPostgresBackend);
      worker.on('error', onError);
      return { close: () => worker.close() };
    },
    close: () => queue.close(),
  });
}

/** Brings the queue's own tables to the newest version. Runs beside `migrate`; a starting process never migrates. */
export async function migratePostgresQueue(url: string): Promise<void> {
  const client = new Client({ connectionString: url, application_name: 'maedal/migrate' });
  await client.connect();
  await client.end(); // a database that is away fails here, plainly, and not inside the queue's own retries
  const queue = new Queue(QUEUE_NAME, { connection: { ...connection(url, 2), migrate: true } }, createPostgresBackend);
  try {
    await queue.waitUntilReady();
  } finally {
    await queue.close();
  }
}

function connection(url: string, max: number): { connectionString: string; max: number; application_name: string } {
  return { connectionString: url, max, application_name: 'maedal/queue' };
}
