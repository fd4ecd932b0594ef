import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { run } from '../../src/cli/program.ts';
import { ROOT } from '../support/repository.ts';

/** Where everything would go that left the simulation. */
let trap: Server;
let visits = 0;
const before = { ...process.env };
beforeAll(async () => {
  trap = createServer((socket) => {
    visits += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
  const address = trap.address();
  if (address === null || typeof address === 'string') throw new Error('the trap has no port');
  const { port } = address;
  Object.assign(process.env, {
    MAEDAL_ENV: 'live',
    PORTONE_BASE_URL: `http://127.0.0.1:${port}`,
    PORTONE_API_KEY: 'a key of the merchant',
    PORTONE_API_SECRET: 'a secret of the merchant',
    DATABASE_URL: `postgres://127.0.0.1:${port}/live`,
    REDIS_URL: `redis://127.0.0.1:${port}`,
    MAEDAL_PORT: String(port),
    MAEDAL_SANDBOX_PORT: String(port),
  });
});
afterAll(async () => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
  await new Promise((resolve) => trap.close(resolve));
});

test('a simulation is the same twice, and goes nowhere that the environment names', async () => {
  const [first, second] = [await simulated(...DAYS, '--json'), await simulated(...DAYS, '--json')];
  expect(first.said).toBe('');
  expect(second).toEqual(first);
  const lines = first.lines.map((line) => JSON.parse(line));
  expect(lines.at(-1)).toMatchObject({ summary: { subscriptions: 66, from: '2027-01-30T15:00:00Z' } });
  expect(Object.keys(lines[0])).toEqual(FIELDS);
  expect(new Set(lines.slice(0, -1).map(({ outcome }) => outcome))).toEqual(new Set(['paid', 'declined']));
  expect(visits).toBe(0);
}, 240_000); // two of them, where others need the machine as well

test('people are shown a row for each month, recovery and steps, as the READMEs have it', async () => {
  const days = ['--from', '2027-01-01', '--until', '2027-07-01'];
  const { lines } = await simulated(...days);
  const shown = ['```sh', `npm run -s maedal -- simulate ${days.join(' ')}`, '```', '```', ...lines, '```'].join('\n');
  for (const file of ['README.md', 'README.ko.md']) expect(readFileSync(join(ROOT, file), 'utf8')).toContain(shown);
}, 240_000);

test.each([
  [['--from', '2027-02-05', '--until', '2027-01-31'], '--from 2027-02-05 is not before --until 2027-01-31'],
  [['--from', 'soon', '--until', '2027-01-31'], "--from is 'soon'"],
  [['--from', '10:00', '--until', '2027-01-31'], "--from is '10:00'"],
  [['--from', '2027-01-01', '--until', '2027-W10'], "--until is '2027-W10'"],
  [['--from', '2027-01-01', '--until', '2027-02-01', '--outage', '2027-01-10'], '--outage'],
  [['--from', '2027-01-01', '--until', '2027-02-01', '--config', 'nowhere.ts'], 'nowhere.ts'],
])('%j is refused as bad usage, and says why', async (args, why) => {
  let said = '';
  const context = { print: () => undefined, stopped: new AbortController().signal, mayTakeToStop: () => undefined };
  const code = await run(['simulate', ...args], context, (text) => {
    said += text;
  });
  expect([code, said]).toEqual([2, expect.stringContaining(why)]);
});

async function simulated(...args: string[]): Promise<{ readonly lines: string[]; readonly said: string }> {
  const lines: string[] = [];
  let said = '';
  const context = {
    print: (text: string) => void lines.push(text),
    stopped: new AbortController().signal,
    mayTakeToStop: () => undefined,
  };
  const code = await run(['simulate', ...args], context, (text) => {
    said += text;
  });
  expect([code, said]).toEqual([0, '']);
  return { lines, said };
}

const DAYS = ['--from', '2027-01-31', '--until', '2027-02-05'];
const FIELDS = ['at', 'subscription_id', 'period', 'period_start', 'period_end', 'attempt', 'merchant_uid'].concat([
  'amount',
  'currency',
  'outcome',
  'decline_class',
  'next',
]);
