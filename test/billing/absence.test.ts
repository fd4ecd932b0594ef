import { expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { isHorizonOver, mayBeProvedAbsent } from '../../src/billing/absence.ts';

const sentAt = DateTime.utc(2027, 1, 31, 1);
const reach = { timeoutSeconds: 60, horizonSeconds: 3_600 };

test.each([
  // seconds since the intent, "not found" answers → may it be held against a canary?
  [3_600, 3, false], // its last byte may have left 65 s after it: at the end of the guard and of the call's time limit
  [3_664, 3, false],
  [3_665, 3, true],
  [3_665, 2, false],
  [86_400, 1, false],
  [86_400, 7, true],
])('%d s after the intent, at the answer "not found" number %d: %s', (seconds, notFound, expected) => {
  expect(mayBeProvedAbsent({ sentAt, now: sentAt.plus({ seconds }), notFound, ...reach })).toBe(expected);
});

test('a clock that stands before the send proves nothing', () => {
  expect(isHorizonOver(sentAt, sentAt.minus({ days: 1 }), reach)).toBe(false);
});
