import { expect, test } from '@jest/globals';
import { problemsOf, resolve } from './resolving.ts';

test.each([
  [
    { retryAfterDays: [1, 3], minGapHours: 48 },
    'dunning.a.retryAfterDays.0 is 1: minGapHours is 48, and the try before is on day 0',
  ],
  [
    { classes: { time: { retryAfterDays: [2, 3, 5, 'payday'] } }, minGapHours: 24.5, retryAfterDays: [2] },
    'dunning.a.classes.time.retryAfterDays.1 is 3: minGapHours is 24.5, and the try before is on day 2',
  ],
])('a day that the gap after the try before puts off is refused by its path: %j', async (policy, problem) => {
  expect(await problemsOf(resolve({}, { dunning: { a: policy } }))).toBe(problem);
});

test.each([
  { retryAfterDays: [1, 2, 4], minGapHours: 24 },
  { retryAfterDays: [2, 4, 'payday', 'payday'], minGapHours: 48 },
  { retryAfterDays: ['payday'], minGapHours: 240 },
])('days that leave the gap between them are taken: %j', async (policy) => {
  expect(await problemsOf(resolve({}, { dunning: { a: policy } }))).toBe('');
});
