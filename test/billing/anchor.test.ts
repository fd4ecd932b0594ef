import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { parseAnchor, parseTimeOfDay, parseZone } from '../../src/billing/anchor.ts';
import { periodAt } from '../../src/billing/calendar.ts';
import { InputError } from '../../src/billing/errors.ts';

test.each([
  ['Asia/Seoul', 'Asia/Seoul'],
  ['asia/seoul', 'Asia/Seoul'],
  ['UTC', 'UTC'],
  ['utc', 'UTC'],
  ['ROK', 'ROK'],
  ['America/Argentina/Buenos_Aires', 'America/Argentina/Buenos_Aires'],
  ['Etc/GMT+9', 'Etc/GMT+9'],
])('%s is the zone %s', (text, zone) => expect(parseZone(text)).toBe(zone));

test.each(['', 'Seoul', 'Asia/Soul', 'KST', '+09:00', 'UTC+9', 'local', 'system', 'Asia/Seoul ', 'x'.repeat(10_000)])(
  '%j is not a zone',
  (text) => {
    expect(() => parseZone(text)).toThrow(/is not a time zone; use a name of the IANA/);
    expect(() => parseZone(text)).toThrow(InputError);
  },
);

test.each(['00:00', '10:00', '23:59'])('%s is a time of day', (text) => expect(parseTimeOfDay(text)).toBe(text));
test.each(['24:00', '9:00', '10:60', '10', '10:00:00', '', ' 10:00'])('%j is not a time of day', (text) => {
  expect(() => parseTimeOfDay(text)).toThrow(InputError);
});

test.each([
  ['2027-01-31', '2027-01-31T10:00:00'], // a date alone means chargeAt
  ['2027-01-31T09:30', '2027-01-31T09:30:00'],
  ['2027-01-31T09:30:15', '2027-01-31T09:30:15'],
  ['2027-01-31T00:00:00.000', '2027-01-31T00:00:00'],
  ['2027-01-31T00:00:00.5', '2027-01-31T00:00:00.500'],
  ['2027-01-31 09:30:15', '2027-01-31T09:30:15'],
  ['2028-02-29', '2028-02-29T10:00:00'],
  ['1970-01-01', '1970-01-01T10:00:00'],
  ['2199-12-31', '2199-12-31T10:00:00'],
])('%s means %s', (text, anchor) => expect(parseAnchor(text, 'Asia/Seoul', '10:00')).toBe(anchor));

test('a local time that the zone skips is kept as written', () => {
  const anchorLocal = parseAnchor('2027-03-14T02:30', 'America/New_York', '10:00');
  const schedule = { anchorLocal, timezone: 'America/New_York', interval: 'day', intervalCount: 1 } as const;
  expect(periodAt(schedule, 0).startAt.toISO()).toBe('2027-03-14T07:30:00.000Z');
  expect(periodAt(schedule, 1).startAt.toISO()).toBe('2027-03-15T06:30:00.000Z');
});

test.each([
  ['', 'not a date'],
  ['soon', 'not a date'],
  ['31.01.2027', 'not a date'],
  ['2027-1-31', 'not a date'],
  ['20270131', 'not a date'],
  ['2027-01-31T', 'not a date'],
  ['2027-01-31T10', 'not a date'],
  ['+002027-01-31', 'not a date'],
  ['2027-02-29', 'does not exist'],
  ['2027-02-30', 'does not exist'],
  ['2027-13-01', 'does not exist'],
  ['2027-00-10', 'does not exist'],
  ['2027-01-31T24:00', 'does not exist'],
  ['2027-01-31T10:60', 'does not exist'],
  ['1969-12-31', 'outside 1970'],
  ['0027-01-31', 'outside 1970'],
  ['9999-12-31', 'outside 1970'],
])('%j is refused', (text, about) => {
  expect(() => parseAnchor(text, 'Asia/Seoul', '10:00')).toThrow(about);
  expect(() => parseAnchor(text, 'Asia/Seoul', '10:00')).toThrow(InputError);
});

test.each([
  ['2027-01-31T01:00:00Z', '2027-01-31T10:00:00'],
  ['2027-01-31 10:00+09:00', '2027-01-31T10:00:00'],
  ['2027-01-30T20:00:00-05:00', '2027-01-31T10:00:00'],
])('%s carries an offset: refused, with the local time to write', (text, local) => {
  expect(() => parseAnchor(text, 'Asia/Seoul', '10:00')).toThrow(`the same instant in Asia/Seoul is ${local}`);
});

test('any text is an anchor that the calendar takes, or an InputError', () => {
  const near = fc.stringMatching(/^\d{4}-[01]\d-[0-3]\d([T ][0-2]\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/);
  fc.assert(
    fc.property(fc.oneof(near, fc.string()), (text) => {
      try {
        const anchorLocal = parseAnchor(text, 'Asia/Seoul', '10:00');
        periodAt({ anchorLocal, timezone: 'Asia/Seoul', interval: 'month', intervalCount: 1 }, 0);
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
      }
    }),
    { numRuns: 2_000 },
  );
});
