import {
  assertSchemaCompatibility,
  createPostgresBackend,
  DEFAULT_SCHEMA,
  LATEST_SCHEMA_VERSION,
  Queue,
  runMigrations,
  SchemaMigrationRequiredError,
  Worker,
} from 'bullmq';
import { Client } from 'pg';
import { InputError } from '../billing/errors.ts';
import { type ChargeQueue, chargeQueue, JOB_OPTIONS, QUEUE_NAME, WORKER_OPTIONS } from './charge-queue.ts';

export type PostgresQueueOptions = { readonly url: string; readonly onError: (error: Error) => void };

/**
 * The queue in the database itself (schema `bullmq`): the default where no Redis is configured. Rejects when the
 * database cannot be reached, and with InputError when it was not migrated.
 */
export async function openPostgresQueue({ url, onError }: PostgresQueueOptions): Promise<ChargeQueue> {
  await connected(url, demandSchema);
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
    work: async (process, concurrency) => {
      const options = { ...WORKER_OPTIONS, connection: connection(url, 10), concurrency, autorun: false };
      const worker = new Worker(QUEUE_NAME, process, options, createPostgresBackend);
      worker.on('error', onError);
      // Its backend asks for the schema once and remembers a failure for good: a worker that runs on one then asks
      // again without a pause, for ever, and nothing else in the process gets a turn (bullmq 6.7).
      await worker.waitUntilReady().catch(async (error: unknown) => {
        await worker.close();
        throw error;
      });
      void worker.run().catch(onError);
      return { close: () => worker.close() };
    },
    close: () => queue.close(),
  });
}

/** Brings the queue's own tables to the newest version. Runs beside `migrate`; a starting process never migrates. */
export async function migratePostgresQueue(url: string): Promise<void> {
  await connected(url, (client) => runMigrations(client));
}

/** Throws InputError where the queue's tables are missing, or older than this version of BullMQ writes them. */
async function demandSchema(client: Client): Promise<void> {
  const version = await assertSchemaCompatibility(client).catch((error: unknown) => {
    if (error instanceof SchemaMigrationRequiredError) return 0;
    throw error;
  });
  if (version >= LATEST_SCHEMA_VERSION) return;
  const found = version === 0 ? 'are not there' : `are of version ${version}, older than ${LATEST_SCHEMA_VERSION}`;
  throw new InputError(`the queue's tables (schema ${DEFAULT_SCHEMA}) ${found}`, 'run `maedal migrate`');
}

async function connected<Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({
    connectionString: url,
    application_name: 'maedal/queue',
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => undefined); // the query in hand rejects with the same
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function connection(url: string, max: number): { connectionString: string; max: number; application_name: string } {
  return { connectionString: url, max, application_name: 'maedal/queue' };
}
