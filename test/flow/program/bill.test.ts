import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { migrate } from '../../../src/store/migrate.ts';
import { readAccounts } from '../../support/accounts.ts';
import { builtMain } from '../../support/built.ts';
import { emptyDatabase } from '../../support/database.ts';
import { freePort, type Maedal, runMaedal } from '../../support/process.ts';

const TOKEN = 'a-token-of-tests-long-enough';

let home: string;
let database: Awaited<ReturnType<typeof emptyDatabase>>;
let settings: Record<string, string>;
const running: Maedal[] = [];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'maedal-bill-'));
  await writeFile(join(home, 'maedal.config.ts'), `export default { declines: { any: { codes: { 9999: 'card' } } } };`);
  database = await emptyDatabase();
  await migrate(database.url);
  const sandboxPort = String(await freePort());
  settings = {
    DATABASE_URL: database.url,
    PORTONE_BASE_URL: `http://127.0.0.1:${sandboxPort}`,
    MAEDAL_SANDBOX_PORT: sandboxPort,
    MAEDAL_PORT: String(await freePort()),
    MAEDAL_API_TOKEN: TOKEN,
  };
  await maedal('sandbox').line(/^sandbox at/);
});

afterAll(async () => {
  for (const process of running) process.kill('SIGTERM');
  await Promise.all(running.map((process) => process.ended));
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

function maedal(...args: string[]): Maedal {
  const process = runMaedal(builtMain(), args, settings, home);
  running.push(process);
  return process;
}

async function bill(): Promise<unknown> {
  const process = maedal('bill', '--json');
  const result: unknown = JSON.parse(await process.line(/^\{"outcomes/));
  expect(await process.ended).toBe(0);
  return result;
}

async function importCards(name: string, cards: readonly string[]): Promise<void> {
  const rows = cards.map(
    (card, index) =>
      `${name}-${index},c-${name}-${index},card-${name}-${index},원두,9900,KRW,month,1,2025-01-31,Asia/Seoul,${card}`,
  );
  const header =
    'subscription_id,customer_id,customer_uid,name,amount,currency,interval,interval_count,anchor_at,timezone,test_card';
  await writeFile(join(home, `${name}.csv`), [header, ...rows, ''].join('\n'));
  expect(await maedal('import', join(home, `${name}.csv`)).ended).toBe(0);
}

test('one run charges everything due at its start, declines included, and exits 0', async () => {
  await importCards('first', [...Array.from({ length: 30 }, () => 'approve'), 'decline_funds', 'capture_then_drop']);
  expect(await bill()).toMatchObject({
    drawn_up: 32,
    outcomes: { paid: 30, declined: 1, unknown: 1 },
    failed: 0,
    unknown: 1,
  });
});

test('a run right after finds nothing to do', async () => {
  expect(await bill()).toMatchObject({ drawn_up: 0, failed: 0 });
});

test('what a decline means is what the configuration says', async () => {
  await importCards('words', ['decline_other']);
  expect(await bill()).toMatchObject({ outcomes: { declined: 1 } });
  const { declines } = JSON.parse(await maedal('declines', '--json').line(/^\{/));
  expect(declines).toContainEqual(expect.objectContaining({ class: 'card', text: '[9999]승인거절', count: 1 }));
});

test('five runs beside each other charge nobody twice', async () => {
  await importCards(
    'second',
    Array.from({ length: 100 }, () => 'approve'),
  );
  await Promise.all(Array.from({ length: 5 }, bill));
  await maedal('start', '--roles', 'console').line(/^console /);
  const books = await readAccounts(`http://127.0.0.1:${settings.MAEDAL_PORT}`, TOKEN, settings.PORTONE_BASE_URL ?? '');
  expect(new Set(books.captured).size).toBe(books.captured.length);
  expect(books.captured.filter((capture) => capture.startsWith('second'))).toHaveLength(100);
});

test.each(['0', 'abc', '1.5', '201'])('a --concurrency of %s is refused with exit 2', async (count) => {
  const process = maedal('bill', '--concurrency', count);
  await process.line(/--concurrency is/);
  expect(await process.ended).toBe(2);
});
