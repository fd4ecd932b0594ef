import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cards, Installation } from '../../support/installation.ts';

let shop: Installation;
beforeAll(async () => {
  shop = await Installation.withSandbox(`export default { declines: { any: { codes: { 9999: 'card' } } } };`);
});
afterAll(() => shop.close());

async function bill(): Promise<unknown> {
  const process = shop.maedal('bill', '--json');
  const result: unknown = JSON.parse(await process.line(/^\{"outcomes/));
  expect(await process.ended).toBe(0);
  return result;
}

test('one run charges everything due at its start, declines included, and exits 0', async () => {
  await shop.subscribe({ ...cards('first', 30), declined: 'decline_funds', unanswered: 'capture_then_drop' });
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
  await shop.subscribe({ words: 'decline_other' });
  expect(await bill()).toMatchObject({ outcomes: { declined: 1 } });
  const { declines } = JSON.parse(await shop.maedal('declines', '--json').line(/^\{/));
  expect(declines).toContainEqual(expect.objectContaining({ class: 'card', text: '[9999]승인거절', count: 1 }));
});

test('five runs beside each other charge nobody twice', async () => {
  await shop.subscribe(cards('second', 100));
  await Promise.all(Array.from({ length: 5 }, bill));
  await shop.maedal('start', '--roles', 'console').line(/^console /);
  const books = await shop.accounts();
  expect(new Set(books.captured).size).toBe(books.captured.length);
  expect(books.captured.filter((capture) => capture.startsWith('second'))).toHaveLength(100);
});

test.each(['0', 'abc', '1.5', '201'])('a --concurrency of %s is refused with exit 2', async (count) => {
  const process = shop.maedal('bill', '--concurrency', count);
  await process.line(/--concurrency is/);
  expect(await process.ended).toBe(2);
});
