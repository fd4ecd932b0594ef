import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { systemClock } from '../../../src/clock.ts';
import {
  type EmbeddedPostgres,
  removeEmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../src/embedded/postgres.ts';
import { type Accounts, readAccounts } from '../../support/accounts.ts';
import { builtMain } from '../../support/built.ts';
import { freePort, type Maedal, runMaedal } from '../../support/process.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';

const SUBSCRIBERS = 200;
const TOKEN = 'a-token-of-tests-long-enough';

let home: string;
let postgres: EmbeddedPostgres;
let redis: RedisServer;
let settings: Record<string, string>;
const running: Maedal[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'maedal-outage-'));
  postgres = await startPostgres();
  redis = await startRedis();
  settings = {
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    MAEDAL_PORT: String(await freePort()),
    MAEDAL_SANDBOX_PORT: String(await freePort()),
    MAEDAL_API_TOKEN: TOKEN,
  };
  // A short horizon, so that an intent that never left is proved absent, and sent, while the test waits; and no brake, for
  // an outage leaves many of the last sends without an answer.
  const config = `export default {
    limits: { leaseSeconds: 5, reRingSeconds: 5, maxUnknownShare: 1 },
    channels: { default: { timeoutSeconds: 1, horizonSeconds: 5 } },
  };`;
  await writeFile(join(home, 'maedal.config.ts'), config);
});

afterEach(async () => {
  for (const process of running) process.kill('SIGTERM');
  await Promise.all(running.splice(0).map((process) => process.ended));
  await redis.stop();
  await postgres.stop();
  await removeEmbeddedPostgres(join(home, 'postgres'));
  await rm(home, { recursive: true, force: true });
}, 120_000);

/** On the same data and, while it is free, the same port each time. */
function startPostgres(): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ dataDir: join(home, 'postgres'), clock: systemClock, durable: false });
}

function maedal(...args: string[]): Maedal {
  const process = runMaedal(builtMain(), args, settings, home);
  running.push(process);
  return process;
}

test('a database that is down at the start is waited for, and maedal says so', async () => {
  await postgres.stop();
  const started = maedal('start');
  await started.line(/"waiting".*the database|the database.*"waiting"/);
  postgres = await startPostgres();
  await started.line(/^console /);
});

test('Redis at the start likewise', async () => {
  const port = Number(new URL(redis.url).port);
  await redis.stop();
  const started = maedal('start');
  await started.line(/"what":"Redis"/);
  redis = await startRedis(port);
  await started.line(/^console /);
});

test('a database restarted and a Redis emptied in the middle of a run cost nobody a charge and nobody a second one', async () => {
  await importSubscribers();
  const started = maedal('start');
  await charges(started, 20);
  await postgres.stop();
  postgres = await startPostgres();
  await charges(started, 60);
  const port = Number(new URL(redis.url).port);
  await redis.stop();
  redis = await startRedis(port);
  const books = await quietBooks(started);
  expect(books.captured).toEqual(books.paid);
  expect(new Set(books.captured).size).toBe(SUBSCRIBERS);
  expect(books.paid).toHaveLength(SUBSCRIBERS);
}, 400_000); // mostly spent waiting for leases and look-ups

async function importSubscribers(): Promise<void> {
  const rows = Array.from(
    { length: SUBSCRIBERS },
    (_, index) => `sub-${index},c-${index},card-${index},원두,9900,KRW,month,1,2025-01-31,Asia/Seoul,approve`,
  );
  const header =
    'subscription_id,customer_id,customer_uid,name,amount,currency,interval,interval_count,anchor_at,timezone,test_card';
  await writeFile(join(home, 'subscribers.csv'), [header, ...rows, ''].join('\n'));
  expect(await maedal('import', join(home, 'subscribers.csv')).ended).toBe(0);
}

/** Resolves when the process has told of so many charges in all. */
async function charges(process: Maedal, count: number): Promise<void> {
  let seen = 0;
  await process.line({
    test: (line) => {
      if (/"(charge\.finished|capture\.accounted)"/.test(line)) seen += 1;
      return seen >= count;
    },
  });
}

/** The books once everything that fell due is paid: nothing waits for an answer or a look-up any more. */
async function quietBooks(process: Maedal): Promise<Accounts> {
  for (let told = 61; ; told += 1) {
    await charges(process, told);
    const books = await readAccounts(
      `http://127.0.0.1:${settings.MAEDAL_PORT}`,
      TOKEN,
      `http://127.0.0.1:${settings.MAEDAL_SANDBOX_PORT}`,
    );
    if (books.open.length === 0 && books.paid.length === SUBSCRIBERS) return books;
  }
}
