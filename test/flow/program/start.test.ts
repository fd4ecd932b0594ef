import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { notedHome } from '../../../src/embedded/place.ts';
import { removeEmbeddedPostgres } from '../../../src/embedded/postgres.ts';
import { readAccounts } from '../../support/accounts.ts';
import { builtMain } from '../../support/built.ts';
import { freePort, type Maedal, runMaedal } from '../../support/process.ts';
import { ROOT } from '../../support/repository.ts';

let home: string;
let settings: Record<string, string>;
/** The first that started to work. */
let first: Maedal;
const running: Maedal[] = [];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'maedal-home-'));
  settings = { MAEDAL_PORT: String(await freePort()), MAEDAL_SANDBOX_PORT: String(await freePort()) };
});

afterAll(async () => {
  for (const maedal of running) maedal.kill('SIGTERM');
  await Promise.all(running.map((maedal) => maedal.ended));
  await removeEmbeddedPostgres(join(home, '.maedal'));
  await rm(home, { recursive: true, force: true });
});

function maedal(...args: string[]): Maedal {
  const process = runMaedal(builtMain(), args, settings, home);
  running.push(process);
  return process;
}

/** Both sides' books, by the token that the first start left in the data directory. */
async function accounts() {
  const credentials = await readFile(join(home, '.maedal', 'credentials'), 'utf8');
  const token = /^MAEDAL_API_TOKEN=(.+)$/m.exec(credentials)?.[1] ?? '';
  return readAccounts(
    `http://127.0.0.1:${settings.MAEDAL_PORT}`,
    token,
    `http://127.0.0.1:${settings.MAEDAL_SANDBOX_PORT}`,
  );
}

/** Runs `start` while somebody else listens on its port; resolves to what it said. */
async function startOnTakenPort(variable: string): Promise<string> {
  const squatter = createServer().listen(Number(settings[variable]), '127.0.0.1');
  await once(squatter, 'listening');
  try {
    const start = maedal('start');
    await start.line(new RegExp(`${variable}: port ${settings[variable]} is taken`));
    expect(await start.ended).toBe(2);
    return start.lines.join('\n');
  } finally {
    squatter.close();
    await once(squatter, 'close');
  }
}

test('a MAEDAL_PORT that is taken is told with exit 2 before anything is imported', async () => {
  expect(await startOnTakenPort('MAEDAL_PORT')).not.toContain('imported');
});

test('a first start without any setting bills the example merchant and says so', async () => {
  first = maedal('start');
  await first.line(/^imported \d+ example subscribers/);
  await first.line(/^console {3}http:/);
  await first.line(/^login .*credentials/);
  const summary = await first.line(/subscriptions: \d+ paid, \d+ declined.*next due \d{4}/);
  expect(Number(/(\d+) paid/.exec(summary)?.[1])).toBeGreaterThanOrEqual(20);
  const { captured, paid, open } = await accounts();
  expect(open).toEqual([]);
  expect(captured).toEqual(paid);
  expect(first.lines.join('\n')).not.toMatch(/error|Error/);
});

test('what others may read in the data directory holds nothing of payers and no secret', async () => {
  const readable: string[] = [];
  for (const entry of await readdir(join(home, '.maedal'), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && ((await stat(path)).mode & 0o077) !== 0) readable.push(entry.name);
  }
  expect(
    readable.filter(
      (name) => !/^(owner-\d+\.json|sandbox\.\d+\.lock|port|the-database-is-elsewhere\.json)$/.test(name),
    ),
  ).toEqual([]);
});

test('a second maedal on the same data is refused with exit 3, and names the first', async () => {
  const second = maedal('start');
  await second.line(new RegExp(`another maedal \\(pid ${first.pid}\\)`));
  expect(await second.ended).toBe(3);
});

test('other commands work beside it', async () => {
  const bill = maedal('bill', '--json');
  const result: unknown = JSON.parse(await bill.line(/^\{"outcomes/));
  expect(result).toMatchObject({ outcomes: {}, drawn_up: 0, failed: 0 });
  expect(await bill.ended).toBe(0);
});

test('Ctrl-C stops it cleanly, and the next start goes on without charging anything twice', async () => {
  const before = await accounts();
  first.kill('SIGINT');
  expect(await first.ended).toBe(0);
  expect(first.lines.at(-1)).toBe('stopped');
  const again = maedal('start');
  await again.line(/subscriptions: \d+ paid/);
  expect(await accounts()).toEqual(before);
  again.kill('SIGTERM');
  expect(await again.ended).toBe(0);
});

test('a database of our own that dies is started again, and what comes due after that is charged', async () => {
  const started = maedal('start');
  await started.line(/subscriptions: \d+ paid/);
  const database = (await notedHome(join(home, '.maedal'))) ?? join(home, '.maedal');
  const [pid] = (await readFile(join(database, 'cluster/postmaster.pid'), 'utf8')).split('\n');
  process.kill(Number(pid), 'SIGINT');
  await started.line(/"level":50.*ended by itself/);
  await started.line(/PostgreSQL \(pid \d+\) goes on/);
  const imported = maedal('import', join(ROOT, 'examples/newcomers.csv'));
  expect(await imported.ended).toBe(0);
  await started.line(/"subscription":"new-1","outcome":"paid"/);
  started.kill('SIGTERM');
  expect(await started.ended).toBe(0);
}, 180_000); // new subscribers wait for the next tick, up to a minute

test('a MAEDAL_SANDBOX_PORT that is taken is a matter of configuration: exit 2, naming it', async () => {
  await startOnTakenPort('MAEDAL_SANDBOX_PORT');
});

test('a signal that is told twice in a moment is one signal', async () => {
  const started = maedal('start');
  await started.line(/subscriptions: \d+ paid/);
  // Doubled within a moment it is one signal, as when a terminal and npm both pass it on.
  started.kill('SIGINT');
  started.kill('SIGINT');
  expect(await started.ended).toBe(0);
});

test.each([{ DATABASE_URL: 'postgres://maedal@127.0.0.1:1/maedal' }, { REDIS_URL: 'redis://127.0.0.1:1' }])(
  'told to stop while it waits for %j, it stops with exit 0',
  async (away) => {
    const waiting = runMaedal(builtMain(), ['start'], { ...settings, ...away, MAEDAL_DATA_DIR: '.maedal' }, home);
    running.push(waiting);
    await waiting.line(/"what":"(the database|Redis)"/);
    waiting.kill('SIGTERM');
    expect(await waiting.ended).toBe(0);
    expect(waiting.lines.at(-1)).toBe('stopped');
  },
);
