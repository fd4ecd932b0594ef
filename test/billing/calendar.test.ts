import { describe, expect, test } from '@jest/globals';
import { DateTime } from 'luxon';

import {
  firstPeriodFrom,
  type Interval,
  periodAt,
  periodIndexContaining,
  periodIndexStartingAt,
  type Schedule,
} from '../../src/billing/calendar.ts';

function schedule(anchorLocal: string, interval: Interval, timezone = 'Asia/Seoul', intervalCount = 1): Schedule {
  return { anchorLocal, timezone, interval, intervalCount };
}

function keys(of: Schedule, count: number): string[] {
  return Array.from({ length: count }, (_, index) => periodAt(of, index).key);
}

function at(iso: string): DateTime {
  return DateTime.fromISO(iso, { setZone: true });
}

/** Local start of a period in the schedule's zone, minutes and offset included. */
function localStart(of: Schedule, index: number): string {
  return periodAt(of, index).startAt.setZone(of.timezone).toFormat("yyyy-MM-dd'T'HH:mmZZ");
}

describe('periods are counted from the anchor', () => {
  test.each([
    // anchor,     every,        the following keys
    ['2027-01-31', 1, 'month', ['2027-01-31', '2027-02-28', '2027-03-31', '2027-04-30', '2027-05-31']],
    ['2028-01-31', 1, 'month', ['2028-01-31', '2028-02-29', '2028-03-31', '2028-04-30']],
    ['2027-01-30', 1, 'month', ['2027-01-30', '2027-02-28', '2027-03-30']],
    ['2027-01-29', 1, 'month', ['2027-01-29', '2027-02-28', '2027-03-29']],
    ['2028-01-29', 1, 'month', ['2028-01-29', '2028-02-29', '2028-03-29']],
    ['2027-12-31', 1, 'month', ['2027-12-31', '2028-01-31', '2028-02-29', '2028-03-31']],
    ['2027-11-30', 3, 'month', ['2027-11-30', '2028-02-29', '2028-05-30', '2028-08-30', '2028-11-30', '2029-02-28']],
    ['2027-08-31', 6, 'month', ['2027-08-31', '2028-02-29', '2028-08-31', '2029-02-28', '2029-08-31']],
    ['2027-10-31', 13, 'month', ['2027-10-31', '2028-11-30', '2029-12-31', '2031-01-31', '2032-02-29']],
    ['2028-02-29', 1, 'year', ['2028-02-29', '2029-02-28', '2030-02-28', '2031-02-28', '2032-02-29', '2033-02-28']],
    ['2028-02-29', 4, 'year', ['2028-02-29', '2032-02-29', '2036-02-29']],
    ['2096-02-29', 4, 'year', ['2096-02-29', '2100-02-28', '2104-02-29']], // 2100 is no leap year
    ['2028-02-29', 1, 'month', ['2028-02-29', '2028-03-29', '2028-04-29']], // the anchor's day, not "the last"
    ['2027-02-28', 1, 'month', ['2027-02-28', '2027-03-28', '2027-04-28']],
    ['2027-12-30', 1, 'week', ['2027-12-30', '2028-01-06', '2028-01-13']],
    ['2028-02-15', 2, 'week', ['2028-02-15', '2028-02-29', '2028-03-14']],
    ['2028-02-28', 1, 'day', ['2028-02-28', '2028-02-29', '2028-03-01']],
    ['2027-12-31', 10, 'day', ['2027-12-31', '2028-01-10', '2028-01-20']],
  ] as const)('%s every %i %s', (date, count, interval, expected) => {
    expect(keys(schedule(`${date}T10:00:00`, interval, 'Asia/Seoul', count), expected.length)).toEqual(expected);
  });

  test('a day-31 anchor is still billed on the last day after ten years', () => {
    const monthly = schedule('2027-01-31T10:00:00', 'month');
    expect([119, 120, 121, 122].map((index) => periodAt(monthly, index).key)).toEqual([
      '2036-12-31',
      '2037-01-31',
      '2037-02-28',
      '2037-03-31',
    ]);
  });

  test('the key is the local date, not the date in UTC: 00:30 in Seoul is yesterday in UTC', () => {
    const { key, startAt, endAt } = periodAt(schedule('2027-03-01T00:30:00', 'month'), 0);
    expect({ key, startAt: startAt.toISO(), endAt: endAt.toISO() }).toEqual({
      key: '2027-03-01',
      startAt: '2027-02-28T15:30:00.000Z',
      endAt: '2027-03-31T15:30:00.000Z',
    });
  });

  test('the local hour stays when the offset changes', () => {
    const monthly = schedule('2027-01-15T10:00:00', 'month', 'America/New_York');
    expect(periodAt(monthly, 1).startAt.toISO()).toBe('2027-02-15T15:00:00.000Z');
    expect(periodAt(monthly, 2).startAt.toISO()).toBe('2027-03-15T14:00:00.000Z');
    expect(periodAt(monthly, 10).startAt.toISO()).toBe('2027-11-15T15:00:00.000Z');
  });
});

describe('local times that do not exist move forward by the gap, those that occur twice mean the first', () => {
  test.each([
    // anchor,              every,  zone,                  period → its local start
    ['2027-02-14T02:30:00', 'month', 'America/New_York', 1, '2027-03-14T03:30-04:00'],
    ['2027-02-14T02:30:00', 'month', 'America/New_York', 2, '2027-04-14T02:30-04:00'], // and back
    ['2027-03-14T02:30:00', 'day', 'America/New_York', 0, '2027-03-14T03:30-04:00'], // the anchor itself
    ['2027-03-14T02:30:00', 'day', 'America/New_York', 1, '2027-03-15T02:30-04:00'], // does not drift
    ['2027-03-14T02:30:00', 'year', 'America/New_York', 1, '2028-03-14T02:30-04:00'],
    ['2027-10-07T01:30:00', 'month', 'America/New_York', 1, '2027-11-07T01:30-04:00'],
    ['2027-11-07T01:30:00', 'day', 'America/New_York', 0, '2027-11-07T01:30-04:00'],
    ['2027-11-07T01:30:00', 'day', 'America/New_York', 1, '2027-11-08T01:30-05:00'],
    ['2027-09-03T02:15:00', 'month', 'Australia/Lord_Howe', 1, '2027-10-03T02:45+11:00'], // a gap of half an hour
    ['2027-03-04T01:45:00', 'month', 'Australia/Lord_Howe', 1, '2027-04-04T01:45+11:00'],
    ['2018-10-04T00:00:00', 'month', 'America/Sao_Paulo', 1, '2018-11-04T01:00-02:00'], // midnight itself is skipped
    ['2018-01-17T23:30:00', 'month', 'America/Sao_Paulo', 1, '2018-02-17T23:30-02:00'], // the hour before midnight, twice
    ['2011-11-30T10:00:00', 'month', 'Pacific/Apia', 1, '2011-12-31T10:00+14:00'], // a whole day is skipped
    ['2026-10-25T01:30:00', 'day', 'Europe/London', 0, '2026-10-25T01:30+01:00'],
  ] as const)('%s every %s in %s: period %i starts at %s', (anchor, interval, zone, index, expected) => {
    expect(localStart(schedule(anchor, interval, zone), index)).toBe(expected);
  });

  test('a skipped midnight keeps its nominal date as key', () => {
    const daily = schedule('2018-11-03T00:00:00', 'day', 'America/Sao_Paulo');
    expect(keys(daily, 3)).toEqual(['2018-11-03', '2018-11-04', '2018-11-05']);
  });

  test('a skipped date leaves a daily schedule one period of no length, which no index function answers', () => {
    const daily = schedule('2011-12-28T10:00:00', 'day', 'Pacific/Apia');
    expect(keys(daily, 5)).toEqual(['2011-12-28', '2011-12-29', '2011-12-30', '2011-12-31', '2012-01-01']);
    const [before, skipped, after] = [periodAt(daily, 1), periodAt(daily, 2), periodAt(daily, 3)];
    expect(skipped.startAt.toMillis()).toBe(skipped.endAt.toMillis());
    expect(periodIndexContaining(daily, skipped.startAt)).toBe(after.index);
    expect(periodIndexStartingAt(daily, skipped.startAt)).toBe(after.index);
    expect(firstPeriodFrom(daily, before.endAt)).toBe(after.index);
    expect(firstPeriodFrom(daily, before.startAt.plus(1))).toBe(after.index);
  });
});

describe('looking a period up', () => {
  const monthly = schedule('2027-01-31T10:00:00', 'month');
  test.each([
    // instant,                containing, starting at, first from
    ['2000-01-01T00:00:00Z', -1, null, 0],
    ['2027-01-31T00:59:59.999Z', -1, null, 0],
    ['2027-01-31T01:00:00Z', 0, 0, 0],
    ['2027-01-31T01:00:00.001Z', 0, null, 1],
    ['2027-02-28T00:59:59.999Z', 0, null, 1],
    ['2027-02-28T01:00:00Z', 1, 1, 1],
    ['2027-03-01T00:00:00Z', 1, null, 2],
    ['2027-03-31T10:00:00+09:00', 2, 2, 2],
    ['9999-12-31T00:00:00Z', 95_674, null, 95_675],
  ] as const)('%s', (iso, containing, startingAt, firstFrom) => {
    expect(periodIndexContaining(monthly, at(iso))).toBe(containing);
    expect(periodIndexStartingAt(monthly, at(iso))).toBe(startingAt);
    expect(firstPeriodFrom(monthly, at(iso))).toBe(firstFrom);
  });

  test('a daily schedule finds the year 9999 as fast as tomorrow', () => {
    const daily = schedule('1970-01-01T00:00:00', 'day', 'UTC');
    const index = periodIndexContaining(daily, at('9999-12-31T12:00:00Z'));
    expect(periodAt(daily, index).key).toBe('9999-12-31');
    expect(() => periodAt(daily, index + 1)).toThrow(RangeError);
  });
});

test.each([
  [schedule('2027-01-31', 'month'), 'local date-time'],
  [schedule('2027-13-31T10:00:00', 'month'), 'local date-time'],
  [schedule('2027-01-31T10:00:00Z', 'month'), 'local date-time'],
  [schedule('2027-01-31T10:00:00', 'month', 'Asia/Soul'), 'time zone'],
  [schedule('2027-01-31T10:00:00', 'month', 'Asia/Seoul', 0), 'count'],
  [schedule('2027-01-31T10:00:00', 'month', 'Asia/Seoul', 1.5), 'count'],
])('a broken schedule is refused: %j', (broken, about) => {
  expect(() => periodAt(broken, 0)).toThrow(about);
});

test.each([-1, 0.5, Number.NaN, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY])('no period %s', (index) => {
  expect(() => periodAt(schedule('2027-01-31T10:00:00', 'month'), index)).toThrow(RangeError);
});

test('an invalid instant is refused', () => {
  expect(() => periodIndexContaining(schedule('2027-01-31T10:00:00', 'month'), at('soon'))).toThrow(RangeError);
});
