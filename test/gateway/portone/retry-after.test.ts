import { expect, test } from '@jest/globals';
import { NO_LINES } from '../../../src/gateway/portone/declines/lines.ts';
import { classify } from '../../../src/gateway/portone/outcome.ts';
import { uidOf } from '../charges.ts';

const DATE = 'Sun, 31 Jan 2027 01:00:00 GMT';

test.each([
  ['nothing', {}, 30],
  ['seconds', { 'retry-after': '7' }, 7],
  ['none at all', { 'retry-after': '0' }, 1],
  ['a day', { 'retry-after': '86400' }, 900],
  ['a date', { 'retry-after': 'Sun, 31 Jan 2027 01:02:00 GMT', date: DATE }, 120],
  ['a date that is over', { 'retry-after': 'Sun, 31 Jan 2027 00:00:00 GMT', date: DATE }, 1],
  ['a date beside no other', { 'retry-after': 'Sun, 31 Jan 2027 01:02:00 GMT' }, 30],
  ['no time', { 'retry-after': 'soon', date: DATE }, 30],
  ['two times', { 'retry-after': ['7', '8'] }, 30],
])('a 429 that says %s is unknown, and has its channel rest for so long', (_, headers, restSeconds) => {
  const answer = { kind: 'answer', status: 429, headers, body: Buffer.from('{}') } as const;
  const expected = { kind: 'unknown', reason: 'answered HTTP 429', restSeconds };
  expect(classify(answer, uidOf('sub-1'), NO_LINES)).toEqual(expected);
});
