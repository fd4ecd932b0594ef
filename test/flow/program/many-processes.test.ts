import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cards, Installation } from '../../support/installation.ts';
import type { Maedal } from '../../support/process.ts';

const SUBSCRIBERS = 2_000;

let shop: Installation;
beforeAll(async () => {
  shop = await Installation.withSandbox('export default {};', { REDIS_URL: process.env.TEST_REDIS_URL ?? '' });
});
afterAll(() => shop.close());

test(`two schedulers and two workers beside each other charge ${SUBSCRIBERS} due subscriptions once each`, async () => {
  await shop.subscribe(cards('sub', SUBSCRIBERS));
  const startedMs = Date.now();
  const workers = [shop.maedal('start', '--roles', 'worker'), shop.maedal('start', '--roles', 'worker')];
  shop.maedal('start', '--roles', 'scheduler');
  shop.maedal('start', '--roles', 'scheduler');
  await shop.maedal('start', '--roles', 'console').line(/^console /);
  await chargedBy(workers, SUBSCRIBERS);
  const seconds = (Date.now() - startedMs) / 1_000;
  const books = await shop.accounts();
  expect(books.open).toEqual([]);
  expect(books.captured).toEqual(books.paid);
  expect(new Set(books.captured).size).toBe(SUBSCRIBERS);
  expect(workers.every((worker) => worker.lines.some(isCharge))).toBe(true); // both took part
  process.stdout.write(
    `${SUBSCRIBERS} charges in ${seconds.toFixed(1)} s: ${Math.round(SUBSCRIBERS / seconds)}/s from cold processes\n`,
  );
}, 180_000);

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
