import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { migrate } from '../../../src/store/migrate.ts';
import { readAccounts } from '../../support/accounts.ts';
import { builtMain } from '../../support/built.ts';
import { emptyDatabase } from '../../support/database.ts';
import { freePort, type Maedal, runMaedal } from '../../support/process.ts';

const SUBSCRIBERS = 2_000;
const TOKEN = 'a-token-of-tests-long-enough';

let home: string;
let database: Awaited<ReturnType<typeof emptyDatabase>>;
let settings: Record<string, string>;
const running: Maedal[] = [];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'maedal-many-'));
  await writeFile(join(home, 'maedal.config.ts'), 'export default {};');
  database = await emptyDatabase();
  await migrate(database.url);
  const sandboxPort = String(await freePort());
  settings = {
    DATABASE_URL: database.url,
    REDIS_URL: process.env.TEST_REDIS_URL ?? '',
    PORTONE_BASE_URL: `http://127.0.0.1:${sandboxPort}`,
    MAEDAL_PORT: String(await freePort()),
    MAEDAL_SANDBOX_PORT: sandboxPort,
    MAEDAL_API_TOKEN: TOKEN,
  };
});

afterAll(async () => {
  for (const process of running.toReversed()) process.kill('SIGTERM');
  await Promise.all(running.map((process) => process.ended));
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

function maedal(...args: string[]): Maedal {
  const process = runMaedal(builtMain(), args, settings, home);
  running.push(process);
  return process;
}

test(`two schedulers and two workers beside each other charge ${SUBSCRIBERS} due subscriptions once each`, async () => {
  await maedal('sandbox').line(/^sandbox at/);
  await importSubscribers();
  const startedMs = Date.now();
  const workers = [maedal('start', '--roles', 'worker'), maedal('start', '--roles', 'worker')];
  maedal('start', '--roles', 'scheduler');
  maedal('start', '--roles', 'scheduler');
  await maedal('start', '--roles', 'console').line(/^console /);
  await chargedBy(workers, SUBSCRIBERS);
  const seconds = (Date.now() - startedMs) / 1_000;
  const books = await readAccounts(`http://127.0.0.1:${settings.MAEDAL_PORT}`, TOKEN, settings.PORTONE_BASE_URL ?? '');
  expect(books.open).toEqual([]);
  expect(books.captured).toEqual(books.paid);
  expect(new Set(books.captured).size).toBe(SUBSCRIBERS);
  expect(workers.every((worker) => worker.lines.some(isCharge))).toBe(true); // both took part
  process.stdout.write(
    `${SUBSCRIBERS} charges in ${seconds.toFixed(1)} s: ${Math.round(SUBSCRIBERS / seconds)}/s from cold processes\n`,
  );
}, 180_000);

async function importSubscribers(): Promise<void> {
  const rows = Array.from(
    { length: SUBSCRIBERS },
    (_, index) => `sub-${index},c-${index},card-${index},원두,9900,KRW,month,1,2025-01-31,Asia/Seoul,approve`,
  );
  const header =
    'subscription_id,customer_id,customer_uid,name,amount,currency,interval,interval_count,anchor_at,timezone,test_card';
  await writeFile(join(home, 'subscribers.csv'), [header, ...rows, ''].join('\n'));
  const imported = maedal('import', join(home, 'subscribers.csv'));
  expect(await imported.ended).toBe(0);
}

/** Resolves when these processes together have told of so many charges. */
async function chargedBy(processes: readonly Maedal[], count: number): Promise<void> {
  let seen = 0;
  let enough = () => {};
  const done = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const counting = {
    test: (line: string) => {
      if (isCharge(line)) seen += 1;
      if (seen >= count) enough();
      return false;
    },
  };
  const gone = Promise.race(processes.map((process) => process.line(counting)));
  await Promise.race([done, gone]);
}

function isCharge(line: string): boolean {
  return line.includes('"charge.finished"');
}
