import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { systemClock } from '../../../src/clock.ts';
import {
  type EmbeddedPostgres,
  removeEmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../src/embedded/postgres.ts';
import type { Accounts } from '../../support/accounts.ts';
import { cards, Installation } from '../../support/installation.ts';
import type { Maedal } from '../../support/process.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';

const SUBSCRIBERS = 200;

let shop: Installation;
let postgres: EmbeddedPostgres;
let redis: RedisServer;

beforeEach(async () => {
  // A short horizon, so that an intent that never left is proved absent, and sent, while the test waits; and no brake, for
  // an outage leaves many of the last sends without an answer.
  shop = await Installation.open(`export default {
    limits: { leaseSeconds: 5, reRingSeconds: 5, maxUnknownShare: 1 },
    channels: { default: { timeoutSeconds: 1, horizonSeconds: 5 } },
  };`);
  postgres = await startPostgres();
  redis = await startRedis();
  Object.assign(shop.settings, { DATABASE_URL: postgres.url, REDIS_URL: redis.url });
});

afterEach(async () => {
  await shop.stop();
  await redis.stop();
  await postgres.stop();
  await removeEmbeddedPostgres(join(shop.home, 'postgres'));
  await shop.close();
}, 120_000);

/** On the same data and, while it is free, the same port each time. */
function startPostgres(): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ dataDir: join(shop.home, 'postgres'), clock: systemClock, durable: false });
}

test('a database that is down at the start is waited for, and maedal says so', async () => {
  await postgres.stop();
  const started = shop.maedal('start');
  await started.line(/"waiting".*the database|the database.*"waiting"/);
  postgres = await startPostgres();
  await started.line(/^console /);
});

test('Redis at the start likewise', async () => {
  const port = Number(new URL(redis.url).port);
  await redis.stop();
  const started = shop.maedal('start');
  await started.line(/"what":"Redis"/);
  redis = await startRedis(port);
  await started.line(/^console /);
});

test('a database restarted and a Redis emptied in the middle of a run cost nobody a charge and nobody a second one', async () => {
  await shop.subscribe(cards('sub', SUBSCRIBERS));
  const started = shop.maedal('start');
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
    const books = await shop.accounts();
    if (books.open.length === 0 && books.paid.length === SUBSCRIBERS) return books;
  }
}
