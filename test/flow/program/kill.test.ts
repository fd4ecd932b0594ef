import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { removeEmbeddedPostgres } from '../../../src/embedded/postgres.ts';
import { type Accounts, readAccounts } from '../../support/accounts.ts';
import { builtMain } from '../../support/built.ts';
import { freePort, type Maedal, runMaedal } from '../../support/process.ts';

const SUBSCRIBERS = 300;
const KILLS = 10;

let home: string;
let settings: Record<string, string>;
let last: Maedal | null = null;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'maedal-kill-'));
  settings = {
    MAEDAL_PORT: String(await freePort()),
    MAEDAL_SANDBOX_PORT: String(await freePort()),
    LOG_LEVEL: 'debug',
  };
  // Short leases and a short horizon, so that what a killed process held is taken up, or proved absent, while the test
  // waits; and no brake, for ten kills leave more than a fifth of the last sends without an answer.
  const config = `export default {
    limits: { leaseSeconds: 5, reRingSeconds: 5, maxUnknownShare: 1 },
    channels: { default: { timeoutSeconds: 1, horizonSeconds: 5 } },
  };`;
  await writeFile(join(home, 'maedal.config.ts'), config);
});

afterAll(async () => {
  last?.kill('SIGTERM');
  await last?.ended;
  await removeEmbeddedPostgres(join(home, '.maedal'));
  await rm(home, { recursive: true, force: true });
});

test(`kill -9 of the whole process group, ${KILLS} times in the middle of billing, captures no period twice and loses none`, async () => {
  await importSubscribers();
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const maedal = runMaedal(builtMain(), ['start'], settings, home);
    await charges(maedal, 1 + ((kill * 7) % 23)); // so many charges later, whatever it is doing then
    maedal.kill('SIGKILL');
    expect(await maedal.ended).toBe('SIGKILL');
  }
  last = runMaedal(builtMain(), ['start'], settings, home);
  const books = await quietBooks(last);
  expect(new Set(books.captured).size).toBe(books.captured.length);
  expect(books.captured).toEqual(books.paid);
  expect(books.paid).toHaveLength(SUBSCRIBERS);
  process.stdout.write(`${KILLS} kills: ${books.paid.length} of ${SUBSCRIBERS} paid once, nothing open\n`);
}, 900_000); // mostly spent waiting for leases and look-ups, which come ever more rarely

async function importSubscribers(): Promise<void> {
  const rows = Array.from(
    { length: SUBSCRIBERS },
    (_, index) => `sub-${index},c-${index},card-${index},원두,9900,KRW,month,1,2025-01-31,Asia/Seoul,approve`,
  );
  const header =
    'subscription_id,customer_id,customer_uid,name,amount,currency,interval,interval_count,anchor_at,timezone,test_card';
  await writeFile(join(home, 'subscribers.csv'), [header, ...rows, ''].join('\n'));
  const imported = runMaedal(builtMain(), ['import', join(home, 'subscribers.csv')], settings, home);
  expect(await imported.ended).toBe(0);
}

/** Resolves once so many charges were finished by this process, or there is nothing left to charge. */
async function charges(maedal: Maedal, count: number): Promise<void> {
  await Promise.race([countOf(maedal, count), maedal.line(/subscriptions: \d+ paid/)]);
}

/** Resolves at the so-manieth charge or late settlement that is told of after the first `after` lines. */
async function countOf(maedal: Maedal, count: number, after = 0): Promise<void> {
  let seen = 0;
  let asked = 0;
  await maedal.line({
    test: (line: string) => {
      asked += 1;
      if (asked > after && /"(charge\.finished|capture\.accounted)"/.test(line)) seen += 1;
      return seen >= count;
    },
  });
}

/** The books once every attempt is decided: what never reached the gateway was proved absent, and sent again. */
async function quietBooks(maedal: Maedal): Promise<Accounts> {
  await maedal.line(/^console /);
  const credentials = await readFile(join(home, '.maedal', 'credentials'), 'utf8');
  const token = /^MAEDAL_API_TOKEN=(.+)$/m.exec(credentials)?.[1] ?? '';
  const urls = [settings.MAEDAL_PORT, settings.MAEDAL_SANDBOX_PORT].map((port) => `http://127.0.0.1:${port}`);
  for (;;) {
    const told = maedal.lines.length;
    const { open } = await readAccounts(urls[0] ?? '', token, urls[1] ?? '');
    // Once more, now that nothing moves: the two sides are not read at one instant.
    if (open.length === 0) return readAccounts(urls[0] ?? '', token, urls[1] ?? '');
    await countOf(maedal, 1, told);
  }
}
