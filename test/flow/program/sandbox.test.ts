import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { arrivals, CHARGE, call, entriesIn, entriesOnce, newDirectory, tokenFrom } from '../../sandbox/fixture.ts';
import { builtMain } from '../../support/built.ts';
import { freePort, type Maedal, runMaedal } from '../../support/process.ts';

const running: Maedal[] = [];

afterEach(async () => {
  for (const { kill, ended } of running.splice(0)) {
    kill('SIGKILL');
    await ended;
  }
});

test('modes are set by the command line', async () => {
  const { url } = await start(await newDirectory(), ['--mode', 'duplicateUid=accept', '--mode', 'concurrency=both']);
  await store(url, 'approve');
  expect(await again(url)).toMatchObject({ response: { status: 'paid' } });
  expect(await again(url)).toMatchObject({ response: { status: 'paid' } });
});

test('an unknown mode ends the command with 2, naming the known ones', async () => {
  const sandbox = run(await newDirectory(), await freePort(), ['--mode', 'duplicateUid=maybe']);
  expect(await sandbox.line(/cannot be 'maybe'/)).toContain('refuse-paid-or-cancelled, refuse-any-used, accept');
  expect(await sandbox.ended).toBe(2);
});

test('a charge that the sandbox was killed over is in its file, unended until the next start', async () => {
  const directory = await newDirectory();
  const first = await start(directory);
  await store(first.url, 'hang');
  const file = join(directory, 'sandbox');
  const written = entriesOnce(file, (entries) => arrivals(entries) === 1);
  const lost = expect(again(first.url)).rejects.toThrow();
  const arrived = { kind: 'request', serial: 1, route: 'again', merchantUid: 'order-1', minor: 9_900 };
  expect((await written).at(-1)).toMatchObject(arrived);
  first.process.kill('SIGKILL');
  await Promise.all([lost, first.process.ended]);
  expect((await entriesIn(file)).at(-1)).toMatchObject(arrived);
  await start(directory);
  expect((await entriesIn(file)).at(-1)).toMatchObject({ kind: 'request-ended', serial: 1, how: 'cut' });
});

async function start(directory: string, args: readonly string[] = []): Promise<{ url: string; process: Maedal }> {
  const port = await freePort();
  const sandbox = run(directory, port, args);
  await sandbox.line(/^sandbox at /);
  return { url: `http://127.0.0.1:${port}`, process: sandbox };
}

function run(directory: string, port: number, args: readonly string[]): Maedal {
  const env = { MAEDAL_DATA_DIR: directory, MAEDAL_SANDBOX_PORT: String(port) };
  const sandbox = runMaedal(builtMain(), ['sandbox', ...args], env, directory);
  running.push(sandbox);
  return sandbox;
}

function post(url: string, body: unknown, headers: Record<string, string> = {}): ReturnType<typeof call> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } };
  return call(url, { ...init, body: JSON.stringify(body) });
}

async function store(url: string, card: string): Promise<void> {
  expect((await post(`${url}/_sandbox/cards/card-1`, { card })).status).toBe(200);
}

async function again(url: string): ReturnType<typeof call> {
  return post(`${url}/subscribe/payments/again`, CHARGE, { authorization: await tokenFrom(url) });
}
