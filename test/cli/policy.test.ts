import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Built, buildMaedal } from '../support/built.ts';
import { type Maedal, runMaedal } from '../support/process.ts';

let built: Built;
let home: string;
beforeAll(async () => {
  built = await buildMaedal();
  home = await mkdtemp(join(tmpdir(), 'maedal-policy-'));
  const config = `export default { timezone: 'Asia/Seoul', chargeAt: '09:30', dunning: { patient: { retryAfterDays: [1, 14] } } };`;
  await writeFile(join(home, 'maedal.config.ts'), config);
});
afterAll(async () => {
  await rm(home, { recursive: true, force: true });
  await built.remove();
});

const policy = (...args: string[]): Maedal => runMaedal(built.main, ['policy', ...args], {}, home);

test('the ladder of a policy is printed with local times and weekdays, and needs no database', async () => {
  const printed = policy('patient', '--due', '2026-12-31', '--class', 'card');
  await printed.line(/^patient \([0-9a-f]{12}\), declined for card, in Asia\/Seoul$/);
  await printed.line(/^ {2}1 {2}2026-12-31 09:30 Thu {2}when due$/);
  await printed.line(/^ {2}2 {2}2027-01-01 09:30 Fri {2}1 day after$/);
  await printed.line(/^ {2}3 {2}2027-01-14 09:30 Thu {2}14 days after$/);
  await printed.line(/^ {2}then uncollectible: retries_exhausted$/);
  expect(await printed.ended).toBe(0);
});

test('in JSON its instants are UTC', async () => {
  const printed = policy('patient', '--due', '2026-12-31T23:00', '--json');
  const { attempts, end } = JSON.parse(await printed.line(/^\{/));
  expect(attempts[0]).toEqual({ number: 1, at: '2026-12-31T14:00:00.000Z', days: 0 });
  expect([attempts.length, end]).toEqual([3, 'retries_exhausted']);
});

test.each([
  [['patent'], /there is no policy 'patent'; did you mean patient\?; use .*patient/],
  [['patient', '--due', '2026-02-30'], /'2026-02-30' does not exist in the calendar/],
  [['patient', '--class', 'poor'], /Allowed choices are funds, card/],
])('%j is bad usage', async (args, problem) => {
  const printed = policy(...args);
  await printed.line(problem);
  expect(await printed.ended).toBe(2);
});
