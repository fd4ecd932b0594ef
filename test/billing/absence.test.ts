import { expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { isHorizonOver, mayBeProvedAbsent } from '../../src/billing/absence.ts';

const sentAt = DateTime.utc(2027, 1, 31, 1);
const horizonSeconds = 3_600;

test.each([
  // seconds since the send, "not found" answers → may it be held against a canary?
  [3_599, 3, false],
  [3_600, 3, true],
  [3_600, 2, false],
  [86_400, 1, false],
  [86_400, 7, true],
])('%d s after the send, at the answer "not found" number %d: %s', (seconds, notFound, expected) => {
  expect(mayBeProvedAbsent({ sentAt, now: sentAt.plus({ seconds }), notFound, horizonSeconds })).toBe(expected);
});

test('a clock that stands before the send proves nothing', () => {
  expect(isHorizonOver(sentAt, sentAt.minus({ days: 1 }), horizonSeconds)).toBe(false);
});
