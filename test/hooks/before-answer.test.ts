import { expect, test } from '@jest/globals';
import { readBeforeAnswer } from '../../src/hooks/before-answer.ts';

const nested = (levels: number) => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);

test.each([
  ['in place of an answer', nested(32_000)],
  ['within one', { kind: 'adjust', customData: { a: nested(4_000) } }],
])('JSON that is nested as deep as 64 KB allow, %s, is none', (_, answer) => {
  expect(readBeforeAnswer(answer)).toEqual({ kind: 'refused', reason: expect.stringContaining('over 100 levels') });
});

test('what a merchant nests is kept', () => {
  const answer = { kind: 'adjust', customData: { a: nested(50) } };
  expect(readBeforeAnswer(answer)).toEqual({ kind: 'answer', answer });
});

test('an instant with more digits than any clock has is none', () => {
  const until = `2027-01-31T10:00:00.${'1'.repeat(31)}Z`;
  expect(readBeforeAnswer({ kind: 'defer', until })).toMatchObject({ kind: 'refused' });
  expect(readBeforeAnswer({ kind: 'defer', until: '2027-01-31T10:00:00.123456789+09:00' })).toMatchObject({
    kind: 'answer',
  });
});
