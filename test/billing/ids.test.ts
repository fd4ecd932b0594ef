import { createHmac } from 'node:crypto';

import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { InputError } from '../../src/billing/errors.ts';
import { installationPrefix, merchantUid, parseAttemptId, parseInvoiceId } from '../../src/billing/ids.ts';

const hmac = (message: string) => createHmac('sha256', 'secret').update(message).digest();
const uid = (subscription: string, periodKey: string, attempt: number) =>
  merchantUid(hmac, 'mdal', subscription, periodKey, attempt);

const anyKey = fc
  .date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
const anyInput = fc.tuple(fc.string({ unit: 'grapheme', maxLength: 100 }), anyKey, fc.integer({ min: 1, max: 1296 }));

test('an id never changes: gateways remember the ones already sent', () => {
  // HMAC-SHA256('secret', 'merchant_uid\n5\nsub-1\n2027-01-31'), first 128 bits, worked out with python's base64.b32encode
  expect(uid('sub-1', '2027-01-31', 1)).toBe('mdalzc437biie7jemvhzrikqkizppi00');
  expect(uid('sub-1', '2027-01-31', 1296)).toBe('mdalzc437biie7jemvhzrikqkizppizz');
  expect(installationPrefix(hmac)).toBe('culf');
});

test('an id is 32 lower-case letters and digits, the same for the same inputs', () => {
  fc.assert(
    fc.property(anyInput, (input) => {
      expect(uid(...input)).toMatch(/^mdal[a-z2-7]{26}[0-9a-z]{2}$/);
      expect(uid(...input)).toBe(uid(...input));
    }),
  );
});

test('two ids are equal only if everything they come from is equal', () => {
  fc.assert(
    fc.property(anyInput, anyInput, (one, other) => {
      expect(uid(...one) === uid(...other)).toBe(JSON.stringify(one) === JSON.stringify(other));
    }),
  );
});

test.each([
  [
    ['a\n1\nb', '2027-01-31'],
    ['a', '1\nb\n2027-01-31'],
  ],
  [
    ['1', '1\n2027-01-31'],
    ['1\n1', '2027-01-31'],
  ],
  [
    ['', '2027-01-31'],
    ['\n', '2027-01-31'],
  ],
] as const)('separators inside an id do not make two alike: %j %j', (one, other) => {
  expect(uid(one[0], one[1], 1)).not.toBe(uid(other[0], other[1], 1));
});

test('all attempts of an invoice differ', () => {
  expect(new Set(Array.from({ length: 1296 }, (_, index) => uid('sub-1', '2027-01-31', index + 1))).size).toBe(1296);
});

test('another secret gives other ids', () => {
  const other = (message: string) => createHmac('sha256', 'other').update(message).digest();
  expect(merchantUid(other, 'mdal', 'sub-1', '2027-01-31', 1)).not.toBe(uid('sub-1', '2027-01-31', 1));
});

test.each([0, -1, 1297, 1.5, Number.NaN])('there is no attempt number %d', (number) => {
  expect(() => uid('sub-1', '2027-01-31', number)).toThrow(RangeError);
});

test.each(['', 'abc', 'abcde', 'ABCD', 'ab1d'])('%j is no installation prefix', (prefix) => {
  expect(() => merchantUid(hmac, prefix, 'sub-1', '2027-01-31', 1)).toThrow(RangeError);
});

test('an HMAC that is cut short is refused', () => {
  expect(() => merchantUid(() => new Uint8Array(15), 'mdal', 'sub-1', '2027-01-31', 1)).toThrow(RangeError);
});

test('row ids are UUIDs, in one spelling', () => {
  const id = '018F3A52-0000-7000-8000-00000000ABCD';
  expect(parseInvoiceId(id)).toBe(id.toLowerCase());
  expect(parseAttemptId(id)).toBe(id.toLowerCase());
});

test.each([
  '',
  'inv-1',
  '018f3a52',
  "018f3a52-0000-7000-8000-00000000abcd' OR 1=1",
  '018f3a52-0000-7000-8000-00000000abcd\n',
])('%j is not a row id', (raw) => {
  expect(() => parseInvoiceId(raw)).toThrow(InputError);
  expect(() => parseAttemptId(raw)).toThrow(InputError);
});
