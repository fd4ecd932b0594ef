import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { builtMain } from '../../support/built.ts';
import { type Maedal, runMaedal } from '../../support/process.ts';
import { ROOT } from '../../support/repository.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'maedal-policy-'));
  const config = `export default { timezone: 'Asia/Seoul', chargeAt: '09:30', dunning: {
    patient: { retryAfterDays: [1, 14] },
    lenient: { end: 'write_off' },
    growing: { later: 'accumulate' },
    strict: { end: 'cancel' },
    paused: { end: 'pause' },
    stern: { retryAfterDays: [1, 3], window: { until: '09:35' },
             steps: [{ name: 'reminded', afterDays: 1 }, { name: 'locked', afterDays: 2, access: 'suspended' }] },
  } };`;
  await writeFile(join(home, 'maedal.config.ts'), config);
});
afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

const policy = (...args: string[]): Maedal => runMaedal(builtMain(), ['policy', ...args], {}, home);

test('the ladder of a policy is printed with local times and weekdays, and needs no database', async () => {
  const printed = policy('patient', '--due', '2026-12-31');
  await printed.line(/^patient \([0-9a-f]{12}\), declined for funds, in Asia\/Seoul$/);
  await printed.line(/^ {2}1 {2}2026-12-31 09:30 Thu {2}when due$/);
  await printed.line(/^ {2}2 {2}2027-01-01 09:30 Fri {2}1 day after$/);
  await printed.line(/^ {2}3 {2}2027-01-14 09:30 Thu {2}14 days after$/);
  await printed.line(/^ {2}each retry up to 10 minutes later$/);
  await printed.line(/^ {2}then uncollectible: retries_exhausted; the subscription is unpaid$/);
  expect(await printed.ended).toBe(0);
});

test('a card that was declined for good is not tried again: the payer’s next one is, and then another is waited for', async () => {
  const printed = policy('patient', '--due', '2026-12-31', '--class', 'card', '--cards', '2');
  await printed.line(/^ {2}1 {2}2026-12-31 09:30 Thu {2}when due, card 1$/);
  await printed.line(/^ {2}2 {2}2026-12-31 09:30 Thu {2}at once, card 2$/);
  await printed.line(/^ {2}until 2027-01-07 09:30 Thu another card is waited for$/);
  await printed.line(/^ {2}then uncollectible: no_card_left; the subscription is unpaid$/);
});

test('its steps stand between its tries, and a try goes before the step of its day', async () => {
  const printed = policy('stern', '--due', '2026-12-31', '--class', 'verify');
  expect(await printed.ended).toBe(0);
  expect(printed.lines.slice(1)).toEqual([
    '  1  2026-12-31 09:30 Thu  when due',
    '  2  2027-01-01 09:30 Fri  1 day after',
    '     2027-01-01 09:30 Fri  step reminded',
    '     2027-01-02 09:30 Sat  step locked, access suspended',
    '  3  2027-01-03 09:30 Sun  3 days after',
    '  each is looked up until the horizon; declined only then',
    '  each retry up to 10 minutes later, and none from 09:35 on',
    '  then uncollectible: retries_exhausted; the subscription is unpaid',
  ]);
});

test('in JSON its instants are UTC', async () => {
  const printed = policy('patient', '--due', '2026-12-31T23:00', '--json');
  const { attempts, end } = JSON.parse(await printed.line(/^\{/));
  expect(attempts[0]).toEqual({ number: 1, at: '2026-12-31T14:00:00.000Z', days: 0, card: 1 });
  expect([attempts.length, end]).toEqual([3, 'retries_exhausted']);
});

test.each([
  [
    ...['lenient', 'funds', 'uncollectible', 'written_off', 'write_off'],
    'then uncollectible: written_off; the subscription goes on',
  ],
  [
    ...['lenient', 'card', 'uncollectible', 'written_off', 'write_off'],
    'then uncollectible: written_off; the subscription goes on',
  ],
  [
    ...['growing', 'funds', 'uncollectible', 'retries_exhausted', 'accumulate'],
    'then uncollectible: retries_exhausted; the subscription stays past due',
  ],
  [
    ...['strict', 'card', 'uncollectible', 'no_card_left', 'cancel'],
    'then uncollectible: no_card_left; the subscription is canceled',
  ],
  [
    ...['paused', 'other', 'uncollectible', 'retries_exhausted', 'pause'],
    'then uncollectible: retries_exhausted; the subscription is paused',
  ],
  [
    ...['strict', 'config', 'held', 'account_refused', 'past_due'],
    'then held: account_refused; the subscription stays past due',
  ],
])('the end of %s for %s is what becomes of the invoice and its subscription', async (name, declined, ...expected) => {
  const shown = policy(name, '--class', declined);
  expect(await shown.ended).toBe(0);
  const inJson = policy(name, '--class', declined, '--json');
  const { ends_as: endsAs, end, subscription } = JSON.parse(await inJson.line(/^\{/));
  expect([endsAs, end, subscription, shown.lines.at(-1)?.trim()]).toEqual(expected);
});

test.each([
  [['patent'], /there is no policy 'patent'; did you mean patient\?; use .*patient/],
  [['patient', '--due', '2026-02-30'], /'2026-02-30' does not exist in the calendar/],
  [['patient', '--class', 'poor'], /Allowed choices are funds, card/],
  [['patient', '--cards', '0'], /write a number from 1 to 20/],
])('%j is bad usage', async (args, problem) => {
  const printed = policy(...args);
  await printed.line(problem);
  expect(await printed.ended).toBe(2);
});

const SHOWN = ['README.md', 'docs/policies.md'].flatMap((path) =>
  [...readFileSync(join(ROOT, path), 'utf8').matchAll(/```text\n\$ maedal (policy .+)\n([^`]+)```/g)].map(
    ([, command = '', output = '']) => [path, command, output] as const,
  ),
);

test('the documents show every shipped policy', () => {
  expect(new Set(SHOWN.map(([, command]) => command.split(' ')[1]))).toEqual(new Set(['default', 'patient']));
});

test.each(SHOWN)('%s shows what `maedal %s` prints', async (_path, command, output) => {
  const empty = await mkdtemp(join(tmpdir(), 'maedal-policy-'));
  const printed = runMaedal(builtMain(), command.split(' '), {}, empty);
  expect(await printed.ended).toBe(0);
  expect(`${printed.lines.join('\n')}\n`).toBe(output);
  await rm(empty, { recursive: true });
});
