import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { InputError } from '../../src/billing/errors.ts';
import { exponentOf, formatMajor, fromMajor, money, parseMajor, toMajor } from '../../src/billing/money.ts';

const anyCurrency = fc.constantFrom('KRW', 'JPY', 'USD', 'EUR', 'KWD');
/** Every amount that JSON carries exactly: below 2^46 major units a double still tells cents apart. */
const anyMoney = fc.tuple(fc.nat({ max: 10 ** 12 }), anyCurrency).map(([minor, currency]) => money(minor, currency));

test.each([
  ['KRW', 0],
  ['JPY', 0],
  ['USD', 2],
  ['KWD', 3],
])('%s has %i decimals', (currency, exponent) => expect(exponentOf(currency)).toBe(exponent));

test.each(['krw', 'XQQ', '', '₩', '__proto__'])('%j is not a currency', (currency) => {
  expect(() => exponentOf(currency)).toThrow(InputError);
});

describe('amounts as people write them', () => {
  test.each([
    ['9900', 'KRW', 9_900],
    ['0', 'KRW', 0],
    ['9.90', 'USD', 990],
    ['9.9', 'USD', 990],
    ['9', 'USD', 900],
    ['0.07', 'USD', 7],
    ['1.005', 'KWD', 1_005],
    ['007', 'KRW', 7],
    ['90071992547409.91', 'USD', 9_007_199_254_740_991],
  ])('%s %s is %i', (text, currency, minor) => expect(parseMajor(text, currency)).toEqual({ minor, currency }));

  test.each([
    ['9900.5', 'KRW', 'no decimals'],
    ['9900.0', 'KRW', 'no decimals'],
    ['9.999', 'USD', 'at most 2 decimals'],
    ['-1', 'KRW', 'not an amount'],
    ['-0', 'KRW', 'not an amount'],
    ['+1', 'KRW', 'not an amount'],
    ['9,900', 'KRW', 'not an amount'],
    ['₩9900', 'KRW', 'not an amount'],
    ['1e3', 'KRW', 'not an amount'],
    ['0x10', 'KRW', 'not an amount'],
    ['NaN', 'KRW', 'not an amount'],
    ['Infinity', 'KRW', 'not an amount'],
    ['.5', 'USD', 'not an amount'],
    ['5.', 'USD', 'not an amount'],
    [' 5', 'USD', 'not an amount'],
    ['', 'KRW', 'not an amount'],
    ['９９００', 'KRW', 'not an amount'], // full-width digits
    ['90071992547409.92', 'USD', 'too large'],
    ['1000000000000000', 'KRW', 'too large; an amount has at most 15 digits'],
    ['9900', 'WON', 'not a currency'],
  ])('%j %s is refused', (text, currency, about) => {
    expect(() => parseMajor(text, currency)).toThrow(about);
    expect(() => parseMajor(text, currency)).toThrow(InputError);
  });

  test('any text is an amount or an InputError', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789.-+eE, ₩') }), anyCurrency, (text, currency) => {
        try {
          expect(parseMajor(text, currency).minor).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
    );
  });
});

test('what is written is read back, for every amount', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), anyCurrency, (minor, currency) => {
      const amount = money(minor, currency);
      fc.pre(minor / 10 ** exponentOf(currency) < 10 ** 15);
      expect(parseMajor(formatMajor(amount), currency)).toEqual(amount);
    }),
  );
});

test('an amount survives JSON, with no float drift', () => {
  fc.assert(
    fc.property(anyMoney, (amount) => {
      expect(fromMajor(JSON.parse(JSON.stringify(toMajor(amount))), amount.currency)).toEqual(amount);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  [990, 'USD', '9.90'],
  [7, 'USD', '0.07'],
  [0, 'USD', '0.00'],
  [9_900, 'KRW', '9900'],
  [1_005, 'KWD', '1.005'],
])('%i %s is written %s', (minor, currency, text) => expect(formatMajor(money(minor, currency))).toBe(text));

describe("amounts in a gateway's answer", () => {
  test.each([
    [9.9, 'USD', 990],
    [1.1, 'USD', 110],
    [0.07, 'USD', 7],
    [9_900, 'KRW', 9_900],
    [-0, 'KRW', 0],
    [Number.MAX_SAFE_INTEGER - 1, 'KRW', Number.MAX_SAFE_INTEGER - 1],
    [1_234_567_890_123_456, 'KRW', 1_234_567_890_123_456],
  ])('%d %s is %i', (major, currency, minor) => expect(fromMajor(major, currency)).toEqual({ minor, currency }));

  test.each([
    [9_900.5, 'KRW'],
    [1_000_000_000_000_000.5, 'KRW'],
    [9.999, 'USD'],
    [9.900_000_01, 'USD'],
    [-1, 'KRW'],
    [Number.NaN, 'KRW'],
    [Number.POSITIVE_INFINITY, 'KRW'],
    [Number.MAX_SAFE_INTEGER + 1, 'KRW'],
    [90_071_992_547_409.91, 'USD'], // as a double this is also the amount one cent above
    [9_900, 'WON'],
  ])('%d %s equals no amount', (major, currency) => expect(fromMajor(major, currency)).toBeNull());
});

test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER + 1])('money(%d) throws', (minor) => {
  expect(() => money(minor, 'KRW')).toThrow(RangeError);
});

test('zero has no sign', () => expect(Object.is(money(-0, 'KRW').minor, 0)).toBe(true));
