import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { barsOf, type Order, Orders } from './orders.ts';

const order = (kind: Order['kind'], askedMs: number, doneMs: number | null): Order => {
  return { kind, subject: 'sub-1', askedMs, doneMs };
};

test.each<[string, readonly Order[], readonly (readonly [number, number])[]]>([
  ['a cancel bars for good from when it was said to be done', [order('cancel', 1, 5)], [[5, Infinity]]],
  ['a void likewise', [order('void', 1, 5)], [[5, Infinity]]],
  ['a cancel that nobody heard of again bars nothing', [order('cancel', 1, null)], []],
  ['a cancel to the end of the period bars nothing now', [order('cancel at period end', 1, 5)], []],
  ['a pause bars until its end is asked for', [order('pause', 1, 5), order('resume', 9, 12)], [[5, 9]]],
  ['a pause without an end bars', [order('pause', 1, 5)], [[5, Infinity]]],
  ['an end asked for before the pause was done may have ended it', [order('resume', 3, 8), order('pause', 1, 5)], []],
  [
    'an end from before the pause was asked for ends nothing',
    [order('resume', 0, 2), order('pause', 1, 5)],
    [[5, Infinity]],
  ],
])('%s', (_, orders, bars) => {
  expect(barsOf(orders).map(({ fromMs, untilMs }) => [fromMs, untilMs])).toEqual(bars);
});

test('orders of a run that was cut off are known to the one that goes on, each once', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'maedal-orders-'));
  try {
    const file = join(directory, 'orders.jsonl');
    const first = new Orders(file);
    await first.give('pause', 'sub-1', async () => true);
    await first.give('void', 'sub-1 2027-01-31', async () => false);
    await first.give('void', 'sub-2 2027-01-31', async () => true);
    const known = new Orders(file).of('sub-1 2027-01-31');
    expect(known).toEqual(first.of('sub-1 2027-01-31'));
    expect(known.map(({ kind, doneMs }) => [kind, doneMs !== null])).toEqual([
      ['pause', true],
      ['void', false],
    ]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
