import { createPostgresBackend, Queue } from 'bullmq';
import { QUEUE_NAME } from '../../../src/queue/charge-queue.ts';
import type { World } from './world.ts';

/** Opens the queue that the processes use, past every proxy, for one piece of work. */
export async function withQueue(world: World, work: (queue: Queue) => Promise<unknown>): Promise<void> {
  const queue = await openQueue(world);
  if (queue === null) return;
  queue.on('error', () => undefined);
  try {
    await work(queue);
  } finally {
    await queue.close().catch(() => undefined);
  }
}

async function openQueue({ redis, postgres }: World): Promise<Queue | null> {
  if (redis === null) {
    const connection = { connectionString: postgres.url, max: 2, application_name: 'campaign' };
    return new Queue(QUEUE_NAME, { connection }, createPostgresBackend) as unknown as Queue;
  }
  // The installation's letters, which are part of its keys, stand at the head of every id.
  const [row] = await postgres.query<{ letters: string }>(
    'SELECT left(merchant_uid, 4) AS letters FROM attempt LIMIT 1',
  );
  if (row === undefined) return null;
  const connection = { url: redis.url, maxRetriesPerRequest: 1, enableOfflineQueue: true };
  return new Queue(QUEUE_NAME, { connection, prefix: `{maedal-${row.letters}}` });
}
