import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { removeEmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { readAccounts } from '../support/accounts.ts';
import { type Built, buildMaedal } from '../support/built.ts';
import { freePort, type Maedal, runMaedal } from '../support/process.ts';

let built: Built;
let home: string;
let settings: Record<string, string>;
const running: Maedal[] = [];

beforeAll(async () => {
  built = await buildMaedal();
  home = await mkdtemp(join(tmpdir(), 'maedal-home-'));
  settings = { MAEDAL_PORT: String(await freePort()), MAEDAL_SANDBOX_PORT: String(await freePort()) };
});

afterAll(async () => {
  for (const maedal of running) maedal.kill('SIGTERM');
  await Promise.all(running.map((maedal) => maedal.ended));
  await removeEmbeddedPostgres(join(home, '.maedal'));
  await rm(home, { recursive: true, force: true });
  await built.remove();
});

function maedal(...args: string[]): Maedal {
  const process = runMaedal(built.main, args, settings, home);
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

test('a first start without any setting bills the example merchant and says so', async () => {
  const started = maedal('start');
  await started.line(/^imported \d+ example subscribers/);
  await started.line(/^console {3}http:/);
  await started.line(/^login .*credentials/);
  const summary = await started.line(/subscriptions: \d+ paid, \d+ declined.*next due \d{4}/);
  expect(Number(/(\d+) paid/.exec(summary)?.[1])).toBeGreaterThanOrEqual(20);
  const { captured, paid, open } = await accounts();
  expect(open).toEqual([]);
  expect(captured).toEqual(paid);
  expect(started.lines.join('\n')).not.toMatch(/error|Error/);
});

test('a second maedal on the same data is refused with exit 3, and names the first', async () => {
  const second = maedal('start');
  await second.line(new RegExp(`another maedal \\(pid ${running[0]?.pid}\\)`));
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
  running[0]?.kill('SIGINT');
  expect(await running[0]?.ended).toBe(0);
  expect(running[0]?.lines.at(-1)).toBe('stopped');
  const again = maedal('start');
  await again.line(/subscriptions: \d+ paid/);
  expect(await accounts()).toEqual(before);
  again.kill('SIGTERM');
  expect(await again.ended).toBe(0);
});

test.each(['MAEDAL_SANDBOX_PORT', 'MAEDAL_PORT'])(
  'a %s that is taken is a matter of configuration: exit 2, naming it',
  async (variable) => {
    const squatter = createServer().listen(Number(settings[variable]), '127.0.0.1');
    await once(squatter, 'listening');
    try {
      const start = maedal('start');
      await start.line(new RegExp(`${variable}: port ${settings[variable]} is taken`));
      expect(await start.ended).toBe(2);
    } finally {
      squatter.close();
      await once(squatter, 'close');
    }
  },
);

test('a signal that is told twice in a moment is one signal', async () => {
  const started = maedal('start');
  await started.line(/subscriptions: \d+ paid/);
  // Doubled within a moment it is one signal, as when a terminal and npm both pass it on.
  started.kill('SIGINT');
  started.kill('SIGINT');
  expect(await started.ended).toBe(0);
});
