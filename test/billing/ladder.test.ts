import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import type { DeclineClass } from '../../src/billing/charge.ts';
import { type LadderOf, ladderOf } from '../../src/billing/ladder.ts';
import type { DunningPolicy } from '../../src/billing/policy.ts';

const dueAt = DateTime.fromISO('2026-12-31T01:00:00Z', { zone: 'utc' });

const of = (declined: DeclineClass, cards = 1): LadderOf => ({
  dueAt,
  declined,
  cards,
  declinesAreFinal: true,
  seed: null,
});

test('a ladder is the first attempt and one for each rung, and then it ends', () => {
  const { rungs, end } = ladderOf({ retryAfterDays: [1, 3, 7], minGapHours: 24 }, of('funds'));
  expect(rungs.map(({ number, at, days }) => [number, at.toISO(), days])).toEqual([
    [1, '2026-12-31T01:00:00.000Z', 0],
    [2, '2027-01-01T01:00:00.000Z', 1],
    [3, '2027-01-03T01:00:00.000Z', 3],
    [4, '2027-01-07T01:00:00.000Z', 7],
  ]);
  expect(end).toBe('retries_exhausted');
});

test('what the merchant’s account is refused for ends held, anything else uncollectible', () => {
  const policy = { retryAfterDays: [1], minGapHours: 24 };
  expect(ladderOf(policy, of('config'))).toMatchObject({ endsAs: 'held', end: 'account_refused' });
  expect(ladderOf(policy, of('time'))).toMatchObject({ endsAs: 'uncollectible', end: 'retries_exhausted' });
});

test.each<[Partial<DunningPolicy>, DeclineClass, string, string]>([
  [{}, 'funds', 'retries_exhausted', 'unpaid'],
  [{ end: 'pause' }, 'funds', 'retries_exhausted', 'pause'],
  [{ end: 'cancel' }, 'card', 'no_card_left', 'cancel'],
  [{ later: 'accumulate' }, 'funds', 'retries_exhausted', 'accumulate'],
  [{ later: 'accumulate' }, 'card', 'no_card_left', 'accumulate'],
  [{ end: 'write_off' }, 'funds', 'written_off', 'write_off'],
  [{ end: 'write_off' }, 'card', 'written_off', 'write_off'],
  [{ end: 'cancel' }, 'config', 'account_refused', 'past_due'],
])('under %j, declined for %s, it ends as %s, and the subscription: %s', (ending, declined, end, subscription) => {
  const classes = { card: { retryAfterDays: [], card: 'other' } } as const;
  const policy: DunningPolicy = { retryAfterDays: [1], minGapHours: 24, waitForCardDays: 7, classes, ...ending };
  expect(ladderOf(policy, of(declined))).toMatchObject({ end, subscription });
});

const STEPS = [
  { name: 'told', afterDays: 0 },
  { name: 'warned', afterDays: 2 },
  { name: 'locked', afterDays: 3, access: 'suspended' },
  { name: 'gone', afterDays: 7 },
  { name: 'never', afterDays: 14 },
] as const;

test.each<[DeclineClass, Partial<DunningPolicy>, [string, number][]]>([
  // Each on its day; after the tries of that day; none on the day of the last one, with which it ends.
  [
    'funds',
    {},
    [
      ['told', 0],
      ['warned', 48],
      ['locked', 72],
    ],
  ],
  [
    'funds',
    { window: { from: '13:00', until: '21:00', timezone: 'Asia/Seoul' } },
    [
      ['told', 0],
      ['warned', 48],
      ['locked', 75],
    ],
  ],
  [
    'card',
    { waitForCardDays: 8 },
    [
      ['told', 0],
      ['warned', 48],
      ['locked', 72],
      ['gone', 168],
    ],
  ],
  ['config', {}, []],
])('declined for %s, under %j, these steps are entered, after so many hours', (declined, more, expected) => {
  const classes = { card: { retryAfterDays: [], card: 'other' } } as const;
  const policy: DunningPolicy = { retryAfterDays: [1, 3, 7], minGapHours: 24, classes, steps: STEPS, ...more };
  const { steps } = ladderOf(policy, of(declined));
  expect(steps.map(({ name, at }) => [name, at.diff(dueAt).as('hours')])).toEqual(expected);
});

test.each([
  ['21:00', 'enough'],
  ['10:05', 'short'],
] as const)('in a window that closes at %s, the room for jitter is %s', (until, room) => {
  const window = { from: '09:00', until, timezone: 'Asia/Seoul' };
  const policy: DunningPolicy = { retryAfterDays: [1], minGapHours: 24, window, jitterMinutes: 10 };
  expect(ladderOf(policy, of('time')).jitter).toEqual({ minutes: 10, room });
});

test('a longer gap than the rungs are apart moves them', () => {
  const { rungs } = ladderOf({ retryAfterDays: [1, 2], minGapHours: 72 }, of('card'));
  expect(rungs.map(({ days }) => days)).toEqual([0, 3, 6]);
});

test('every ladder ends, rises, and keeps the gap', () => {
  const policies = fc.record({
    retryAfterDays: fc
      .uniqueArray(fc.integer({ min: 1, max: 365 }), { maxLength: 20 })
      .map((days) => days.sort((a, b) => a - b)),
    minGapHours: fc.integer({ min: 1, max: 720 }),
  });
  fc.assert(
    fc.property(policies, (policy) => {
      const { rungs } = ladderOf(policy, of('other'));
      expect(rungs).toHaveLength(policy.retryAfterDays.length + 1);
      for (const [index, { at, days }] of rungs.entries()) {
        const before = rungs[index - 1];
        if (before === undefined) continue;
        expect(at.diff(before.at).as('hours')).toBeGreaterThanOrEqual(policy.minGapHours);
        expect(days).toBeGreaterThanOrEqual(policy.retryAfterDays[index - 1] ?? 0);
      }
    }),
  );
});
