import { expect, test } from '@jest/globals';

import { didYouMean } from '../src/nearest-name.ts';

const names = ['schedule', 'timezone', 'channels', 'chargeAt'];

test.each([
  ['shedule', '; did you mean schedule?'],
  ['schedules', '; did you mean schedule?'],
  ['CHARGEAT', '; did you mean chargeAt?'],
  ['chanels', '; did you mean channels?'],
  ['webhooks', ''],
  ['', ''],
  ['s'.repeat(100_000), ''],
])('%.20s%s', (name, expected) => expect(didYouMean(name, names)).toBe(expected));

test('of several names the nearest is meant, of equally near ones the first, as it is written', () => {
  expect(didYouMean('retryAftr', ['retryAftrrs', 'Retry', 'RetryAfter'])).toBe('; did you mean RetryAfter?');
  expect(didYouMean('weak', ['Week', 'week', 'weal'])).toBe('; did you mean Week?');
});
