import { chmod, mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createPostgresBackend, Queue } from 'bullmq';
import { Client } from 'pg';
import { systemClock } from '../../../src/clock.ts';
import { notedHome } from '../../../src/embedded/place.ts';
import { removeEmbeddedPostgres, startEmbeddedPostgres } from '../../../src/embedded/postgres.ts';
import { migratePostgresQueue } from '../../../src/queue/postgres.ts';
import { standBy, type Undertaker } from '../../support/undertaker.ts';
import { WorkerProcess } from './worker-process.ts';

let dataDir: string;
let url: string;
let stop: () => Promise<void>;
let undertaker: Undertaker;

beforeAll(async () => {
  dataDir = await realpath(await mkdtemp(join(tmpdir(), 'maedal-restarted-postgres-')));
  await chmod(dataDir, 0o755); // as root another user runs it
  await start();
  const home = (await notedHome(dataDir)) ?? dataDir;
  undertaker = standBy(`kill -QUIT "$(head -n 1 '${home}/cluster/postmaster.pid')"; rm -rf '${home}' '${dataDir}'`);
  await migratePostgresQueue(url);
});
afterAll(async () => {
  await stop();
  await removeEmbeddedPostgres(dataDir);
  undertaker.dismiss();
});

test('a waiting worker outlives three immediate stops of Postgres, and hears of new jobs after each', async () => {
  const worker = await WorkerProcess.start({ backend: 'postgres', url, queue: 'bare' });
  const queue = new Queue('bare', { connection: { connectionString: url } }, createPostgresBackend);
  queue.on('error', () => undefined);
  for (let round = 1; round <= 3; round += 1) {
    await queue.add('charge', {}, { jobId: `before-${round}` });
    await worker.tells(`completed before-${round}`);
    await stopAtOnce();
    await start();
    await queue.add('charge', {}, { jobId: `after-${round}` });
    await worker.tells(`completed after-${round}`);
  }
  expect(worker.told.filter((line) => line.startsWith('took'))).toHaveLength(6);
  await queue.close();
  await worker.kill();
});

/** The server of the directory, on the port of last time; one that is still going down is waited for. */
async function start(): Promise<void> {
  const server = await startEmbeddedPostgres({ dataDir, clock: systemClock, durable: false });
  expect(url ?? server.url).toBe(server.url);
  ({ url, stop } = server);
}

/** Immediate mode: no checkpoint, no farewell to anybody; the next start recovers. */
async function stopAtOnce(): Promise<void> {
  const client = new Client({ connectionString: url });
  const gone = new Promise((resolve) => client.once('error', resolve));
  await client.connect();
  const { rows } = await client.query<{ pid: string }>(
    `SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1) AS pid`,
  );
  process.kill(Number(rows[0]?.pid), 'SIGQUIT');
  await gone;
  await stop(); // whoever keeps it running would start it beside us
}
