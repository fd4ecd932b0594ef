import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { INTERVALS, periodAt, type Schedule } from '../../../src/billing/calendar.ts';
import { parseInstant, standingOf } from '../../../src/operator/import/standing.ts';

const endOfMonth: Schedule = {
  anchorLocal: '2027-01-31T10:00:00',
  timezone: 'Asia/Seoul',
  interval: 'month',
  intervalCount: 1,
};
const weekly: Schedule = { ...endOfMonth, anchorLocal: '2027-03-01T10:00:00', interval: 'week' };

test.each<[string, Schedule, { now: string; trial?: string; paid?: string }, [number, number, string]]>([
  // what is known → first period, next period, due
  ['a future anchor', endOfMonth, { now: '2027-01-01' }, [0, 0, '2027-01-31']],
  ['an anchor that begins just now', endOfMonth, { now: '2027-01-31T10:00' }, [0, 0, '2027-01-31']],
  ['a past anchor: only the period that contains now', endOfMonth, { now: '2027-04-29' }, [2, 2, '2027-03-31']],
  ['... which is the last of February', endOfMonth, { now: '2027-03-30' }, [1, 1, '2027-02-28']],
  ['a trial that ends between periods', endOfMonth, { now: '2027-02-01', trial: '2027-03-01' }, [2, 2, '2027-03-31']],
  ['a trial that ends with a period', endOfMonth, { now: '2027-02-01', trial: '2027-02-28' }, [1, 1, '2027-02-28']],
  ['a trial that ended long ago', endOfMonth, { now: '2027-06-15', trial: '2027-02-10' }, [4, 4, '2027-05-31']],
  [
    'a trial that ended in the running period',
    endOfMonth,
    { now: '2027-03-10', trial: '2027-03-05' },
    [2, 2, '2027-03-31'],
  ],
  ['a trial before the anchor', endOfMonth, { now: '2027-01-20', trial: '2027-01-10' }, [0, 0, '2027-01-31']],
  ['paid up to the next boundary', endOfMonth, { now: '2027-03-10', paid: '2027-03-31' }, [0, 2, '2027-03-31']],
  ['paid for months ahead', endOfMonth, { now: '2027-03-10', paid: '2027-07-31' }, [0, 6, '2027-07-31']],
  ['paid up to a boundary that is past', endOfMonth, { now: '2027-06-10', paid: '2027-02-28' }, [0, 1, '2027-02-28']],
  [
    'paid up to the anchor: nothing is paid',
    endOfMonth,
    { now: '2027-06-10', paid: '2027-01-31' },
    [0, 0, '2027-01-31'],
  ],
  ['paid, after a trial', weekly, { now: '2027-03-30', trial: '2027-03-10', paid: '2027-04-05' }, [2, 5, '2027-04-05']],
  [
    'paid for less than the trial',
    weekly,
    { now: '2027-03-02', trial: '2027-03-15', paid: '2027-03-08' },
    [2, 2, '2027-03-15'],
  ],
])('%s', (_, schedule, { now, trial, paid }, expected) => {
  const read = (text?: string) => (text === undefined ? null : parseInstant(text, schedule));
  const standing = standingOf(schedule, read(trial), read(paid), read(now) ?? DateTime.utc());
  const due = standing.nextDueAt.setZone('Asia/Seoul').toISODate() ?? '';
  expect([standing.firstPeriod, standing.nextPeriod, due]).toEqual(expected);
});

test('a date alone means the time of day of the anchor; an offset says the instant itself', () => {
  const evening = { ...endOfMonth, anchorLocal: '2027-01-31T21:30:00' };
  const instants = ['2027-02-28', '2027-02-28 21:30', '2027-02-28T21:30:00+09:00', '2027-02-28T12:30:00Z'];
  for (const text of instants) expect(parseInstant(text, evening).toISO()).toBe('2027-02-28T12:30:00.000Z');
});

test.each(['2027-02-30', '2027-02-30T10:00:00Z', '2027-13-01', 'tomorrow', '2027-01-31T10:00+25:00', '1812-01-01'])(
  '%s is no instant',
  (text) => {
    expect(() => parseInstant(text, endOfMonth)).toThrow();
  },
);

test('a boundary on a day when clocks change is found by its local time', () => {
  const newYork: Schedule = { ...weekly, anchorLocal: '2027-03-07T02:30:00', timezone: 'America/New_York' };
  const skipped = parseInstant('2027-03-14T02:30', newYork); // this time does not exist there
  expect(standingOf(newYork, null, skipped, DateTime.fromISO('2027-03-10T00:00Z')).nextPeriod).toBe(1);
});

test('every boundary of every schedule is taken for what it is, and the instant behind it is refused', () => {
  const schedules = fc.record({
    anchorLocal: fc.constantFrom(
      '2024-02-29T10:00:00',
      '2026-12-31T23:30:00',
      '2027-03-28T02:30:00',
      '2026-10-25T01:30:00',
    ),
    timezone: fc.constantFrom('Asia/Seoul', 'Europe/Berlin', 'America/New_York', 'Pacific/Apia'),
    interval: fc.constantFrom(...INTERVALS),
    intervalCount: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(schedules, fc.nat(60), (schedule, index) => {
      const { startAt } = periodAt(schedule, index);
      expect(standingOf(schedule, null, startAt, startAt).nextPeriod).toBe(index);
      expect(() => standingOf(schedule, null, startAt.plus({ minutes: 1 }), startAt)).toThrow(
        /no boundary of a period/,
      );
    }),
  );
});

test('what is next never lies before now, unless the file says up to where it is paid', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -2_000, max: 4_000 }),
      fc.option(fc.integer({ min: -100, max: 100 })),
      (days, trialDays) => {
        const now = DateTime.fromISO('2027-01-31T01:00Z').plus({ days });
        const trialUntil = trialDays === null ? null : now.plus({ days: trialDays });
        const { nextPeriod, nextDueAt, firstPeriod } = standingOf(endOfMonth, trialUntil, null, now);
        expect(periodAt(endOfMonth, nextPeriod).endAt > now).toBe(true);
        expect(trialUntil === null || nextDueAt >= trialUntil || trialUntil < now).toBe(true);
        expect(firstPeriod).toBe(nextPeriod);
      },
    ),
  );
});
