import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DateTime } from 'luxon';

import {
  firstPeriodFrom,
  INTERVALS,
  periodAt,
  periodIndexContaining,
  periodIndexStartingAt,
} from '../../src/billing/calendar.ts';

const ZONES = [
  'UTC',
  'Asia/Seoul',
  'America/New_York',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'America/Sao_Paulo',
  'Asia/Kathmandu',
  'Africa/Casablanca',
  'Europe/London',
];

describe.each([2027, 2028])('48 months from every day of January %i', (year) => {
  const days = Array.from({ length: 31 }, (_, index) => index + 1);
  test.each(ZONES)('%s: the same day or the last of the month, no gap, no overlap, no drift', (zone) => {
    for (const day of days) {
      const anchorLocal = `${year}-01-${String(day).padStart(2, '0')}T02:30:00`;
      const monthly = { anchorLocal, timezone: zone, interval: 'month', intervalCount: 1 } as const;
      const periods = Array.from({ length: 48 }, (_, index) => periodAt(monthly, index));
      const starts = periods.map((period) => period.startAt.setZone(zone));
      const expected = periods.map((_, index) => {
        const month = DateTime.utc(year, 1).plus({ months: index });
        return month.set({ day: Math.min(day, month.daysInMonth ?? 0) }).toISODate();
      });
      expect(periods.map((period) => period.key)).toEqual(expected);
      expect(starts.map((start) => start.toISODate())).toEqual(expected);
      const hours = new Set(starts.map((start) => start.toFormat('HH:mm')));
      expect([...hours].filter((hour) => !['02:30', '03:00', '03:30'].includes(hour))).toEqual([]); // or moved by a gap
      expect(periods.slice(1).map((period) => period.startAt.toMillis())).toEqual(
        periods.slice(0, -1).map((period) => period.endAt.toMillis()),
      );
      expect(periods.every((period) => period.startAt < period.endAt)).toBe(true);
    }
  });
});

const anySchedule = fc.record({
  anchorLocal: fc
    .date({ min: new Date('1990-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 19)),
  timezone: fc.constantFrom(...ZONES),
  interval: fc.constantFrom(...INTERVALS),
  intervalCount: fc.integer({ min: 1, max: 30 }),
});

/** A schedule and one of its periods within the next two centuries. */
const anyPeriod = anySchedule.chain((of) => {
  const perYear = { day: 365, week: 52, month: 12, year: 1 }[of.interval] / of.intervalCount;
  return fc.tuple(fc.constant(of), fc.nat(Math.ceil(200 * perYear)));
});

test('periods are unbroken, in order, and their keys rise', () => {
  fc.assert(
    fc.property(anyPeriod, ([of, index]) => {
      const [period, next] = [periodAt(of, index), periodAt(of, index + 1)];
      expect(next.startAt.toMillis()).toBe(period.endAt.toMillis());
      expect(next.startAt.toMillis()).toBeGreaterThanOrEqual(period.startAt.toMillis());
      expect(next.key > period.key).toBe(true);
      expect(period.startAt.zoneName).toBe('UTC');
    }),
    { numRuns: 1_000 },
  );
});

test('a start is the anchor plus so many intervals, except within a gap: no drift', () => {
  fc.assert(
    fc.property(anyPeriod, ([of, index]) => {
      const start = periodAt(of, index).startAt.setZone(of.timezone).setZone('utc', { keepLocalTime: true });
      const nominal = DateTime.fromISO(of.anchorLocal, { zone: 'utc' }).plus({
        [`${of.interval}s`]: index * of.intervalCount,
      });
      const moved = start.diff(nominal).as('minutes');
      expect([0, 30, 60, 24 * 60]).toContain(moved);
      if (moved > 0) {
        // Really no such local time: luxon cannot express it either.
        const { year, month, day, hour, minute, second } = nominal;
        const local = DateTime.fromObject({ year, month, day, hour, minute, second }, { zone: of.timezone });
        expect(local.toFormat('dd HH:mm')).not.toBe(nominal.toFormat('dd HH:mm'));
      }
    }),
    { numRuns: 1_000 },
  );
});

test('of two instants with the same local time, the first is meant', () => {
  fc.assert(
    fc.property(anyPeriod, ([of, index]) => {
      const start = periodAt(of, index).startAt.setZone(of.timezone);
      const instants = start.getPossibleOffsets().map((each) => each.toMillis());
      expect(start.toMillis()).toBe(Math.min(...instants));
    }),
    { numRuns: 1_000 },
  );
});

test('the index functions are the inverse of periodAt', () => {
  fc.assert(
    fc.property(anyPeriod, fc.double({ min: 0, max: 1, noNaN: true }), ([of, index], share) => {
      const { startAt, endAt } = periodAt(of, index);
      fc.pre(startAt < endAt);
      const length = endAt.toMillis() - startAt.toMillis();
      const inside = startAt.plus(Math.min(length - 1, Math.floor(length * share)));
      expect(periodIndexContaining(of, inside)).toBe(index);
      expect(periodIndexStartingAt(of, startAt)).toBe(index);
      expect(firstPeriodFrom(of, startAt)).toBe(index);
      expect(periodIndexContaining(of, startAt.minus(1))).toBeLessThan(index);
      if (inside > startAt) {
        expect(periodIndexStartingAt(of, inside)).toBeNull();
        expect(firstPeriodFrom(of, inside)).toBeGreaterThan(index);
      }
    }),
    { numRuns: 1_000 },
  );
});
