import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import type { DunningPolicy, Rung } from '../../src/billing/policy.ts';
import { retryAt } from '../../src/billing/retry-time.ts';

const SEOUL = { from: '09:00', until: '21:00', timezone: 'Asia/Seoul' };
const POLICY: DunningPolicy = {
  retryAfterDays: [],
  minGapHours: 24,
  paydays: [10, 25],
  window: SEOUL,
  jitterMinutes: 0,
};

const { window: _, ...WITHOUT } = POLICY;
const WITHOUT_WINDOW: DunningPolicy = { ...WITHOUT, jitterMinutes: 240 };

const seoul = (local: string) => DateTime.fromISO(local, { zone: 'Asia/Seoul' });
const at = (rung: Rung, due: string, last: string, policy = POLICY) =>
  retryAt(rung, { dueAt: seoul(due).toUTC(), lastAttemptAt: seoul(last).toUTC(), seed: 'sub-1' }, policy)
    .setZone('Asia/Seoul')
    .toFormat('yyyy-LL-dd HH:mm');

test.each<[string, Rung, string, string, string]>([
  [
    'a day is one of the calendar, at the time at which it fell due',
    3,
    '2027-01-31T10:00',
    '2027-01-31T10:00',
    '2027-02-03 10:00',
  ],
  ['before the window opens, it waits for that', 1, '2027-01-31T04:00', '2027-01-31T04:00', '2027-02-01 09:00'],
  ['after it closed, for the next day', 1, '2027-01-31T23:30', '2027-01-31T23:30', '2027-02-02 09:00'],
  ['the instant at which it closes is outside', 1, '2027-01-31T21:00', '2027-01-31T21:00', '2027-02-02 09:00'],
  ['never sooner than the gap after the last attempt', 1, '2027-01-01T10:00', '2027-01-31T15:00', '2027-02-01 15:00'],
  ['the gap may lead out of the window', 1, '2027-01-01T10:00', '2027-01-31T22:00', '2027-02-02 09:00'],
  ['the next payday', 'payday', '2027-01-05T10:00', '2027-01-05T10:00', '2027-01-10 10:00'],
  ['the one after, once one was tried', 'payday', '2027-01-05T10:00', '2027-01-10T10:00', '2027-01-25 10:00'],
  ['over the end of a month', 'payday', '2027-01-05T10:00', '2027-01-25T10:00', '2027-02-10 10:00'],
  [
    'a payday too close to the last attempt waits out the gap',
    'payday',
    '2027-01-05T10:00',
    '2027-01-09T20:00',
    '2027-01-10 20:00',
  ],
  [
    'the payday itself, however late in the day it fell due',
    'payday',
    '2027-01-05T22:00',
    '2027-01-05T22:00',
    '2027-01-10 09:00',
  ],
  ['or how early', 'payday', '2027-01-05T04:00', '2027-01-05T04:00', '2027-01-10 09:00'],
  [
    'when the gap ends on it, late as it fell due',
    'payday',
    '2027-01-05T22:00',
    '2027-01-09T15:00',
    '2027-01-10 15:00',
  ],
  [
    'the one after, where the gap ends past its window',
    'payday',
    '2027-01-05T10:00',
    '2027-01-09T21:30',
    '2027-01-25 10:00',
  ],
  [
    'the one after, where the gap ends past its day',
    'payday',
    '2027-01-05T10:00',
    '2027-01-24T10:00',
    '2027-01-25 10:00',
  ],
])('%s', (_rule, rung, due, last, expected) => {
  expect(at(rung, due, last)).toBe(expected);
});

test('a payday that a month lacks is its last day', () => {
  expect(at('payday', '2027-02-05T10:00', '2027-02-05T10:00', { ...POLICY, paydays: [31] })).toBe('2027-02-28 10:00');
});

test.each([
  [96, [10, 25], '2027-01-08T10:00', '2027-01-25 10:00'],
  [720, [1], '2027-01-31T10:00', '2027-04-01 10:00'],
  [0, [10, 11], '2027-01-10T10:00', '2027-01-11 10:00'],
])('with a gap of %i hours, the payday after it', (minGapHours, paydays, last, expected) => {
  expect(at('payday', last, last, { ...POLICY, minGapHours, paydays })).toBe(expected);
});

test.each([
  ['no window', { ...WITHOUT_WINDOW, window: null }],
  ['none named', WITHOUT_WINDOW],
])('with %s, a payday is all of its day, and jitter does not lead past it', (_, policy) => {
  const dueAt = seoul('2027-01-05T23:50');
  const retries = Array.from({ length: 50 }, (_, seed) =>
    retryAt('payday', { dueAt, lastAttemptAt: dueAt, seed: String(seed) }, policy),
  );
  expect(new Set(retries.map((retry) => retry.day))).toEqual(new Set([10]));
});

test('a payday on which clocks jump over the window is none', () => {
  const timezone = 'Europe/London';
  const dueAt = DateTime.fromISO('2027-03-20T01:30', { zone: timezone });
  const policy = { ...POLICY, paydays: [28, 30], window: { from: '01:15', until: '01:45', timezone } };
  const retry = retryAt('payday', { dueAt, lastAttemptAt: dueAt, seed: '' }, policy);
  expect(retry.toFormat('yyyy-LL-dd HH:mm')).toBe('2027-03-30 01:30');
});

test('a payday of a policy that names none is the day after', () => {
  const { paydays: _, ...without } = POLICY;
  expect(at('payday', '2027-01-05T10:00', '2027-01-07T11:30', without)).toBe('2027-01-08 11:30');
});

test.each([
  ['forward', '2027-03-13T23:30', '2027-03-15 09:00'],
  ['back', '2027-11-06T23:30', '2027-11-08 09:00'],
])('where clocks go %s, the window is that of the local day', (_way, due, expected) => {
  const timezone = 'America/New_York';
  const dueAt = DateTime.fromISO(due, { zone: timezone }).toUTC();
  const policy = { ...POLICY, window: { ...SEOUL, timezone } };
  const retry = retryAt(1, { dueAt, lastAttemptAt: dueAt, seed: '' }, policy);
  expect(retry.setZone(timezone).toFormat('yyyy-LL-dd HH:mm')).toBe(expected);
});

test.each([
  ['Europe/London', '01:00', '02:00', '2027-03-28T00:30', '2027-03-29 01:00'],
  ['Australia/Lord_Howe', '02:00', '02:30', '2027-10-03T01:00', '2027-10-04 02:00'],
])('in %s a window from %s to %s that a day skips opens the day after', (timezone, from, until, rung, expected) => {
  const dueAt = DateTime.fromISO(rung, { zone: timezone }).minus({ days: 1 }).toUTC();
  const policy = { ...POLICY, window: { from, until, timezone } };
  const retry = retryAt(1, { dueAt, lastAttemptAt: dueAt.minus({ days: 1 }), seed: '' }, policy);
  expect(retry.setZone(timezone).toFormat('yyyy-LL-dd HH:mm')).toBe(expected);
});

test.each([
  ['opens when they jump', 'America/New_York', '02:30', '04:00', '2027-03-14T00:30', '2027-03-14 03:00'],
  ['closes when they jump', 'America/New_York', '01:30', '02:30', '2027-03-14T03:10', '2027-03-15 01:30'],
  ['is open until they do', 'America/New_York', '01:30', '02:30', '2027-03-14T01:50', '2027-03-14 01:50'],
  ['is skipped within the hour', 'America/New_York', '02:10', '02:50', '2027-03-14T00:30', '2027-03-15 02:10'],
  ['is skipped within the hour', 'Europe/London', '01:15', '01:45', '2027-03-28T00:30', '2027-03-29 01:15'],
  ['is skipped within half an hour', 'Australia/Lord_Howe', '02:05', '02:25', '2027-10-03T01:00', '2027-10-04 02:05'],
  ['opens half an hour later', 'Australia/Lord_Howe', '02:05', '03:00', '2027-10-03T01:00', '2027-10-03 02:30'],
])('a window that clocks jump into or over %s: in %s from %s to %s', (_what, timezone, from, until, rung, expected) => {
  const dueAt = DateTime.fromISO(rung, { zone: timezone }).minus({ days: 1 }).toUTC();
  const policy = { ...POLICY, window: { from, until, timezone } };
  const retry = retryAt(1, { dueAt, lastAttemptAt: dueAt.minus({ days: 1 }), seed: '' }, policy);
  expect(retry.setZone(timezone).toFormat('yyyy-LL-dd HH:mm')).toBe(expected);
});

test('jitter does not lead into an hour that comes twice and lies before the window opens', () => {
  const timezone = 'America/New_York';
  const dueAt = DateTime.fromISO('2027-11-06T01:50', { zone: timezone }).toUTC();
  const policy = { ...POLICY, jitterMinutes: 30, window: { from: '01:30', until: '02:30', timezone } };
  const retries = Array.from({ length: 100 }, (_, seed) =>
    retryAt(1, { dueAt, lastAttemptAt: dueAt.minus({ days: 1 }), seed: String(seed) }, policy),
  );
  const walls = retries.map((retry) => retry.setZone(timezone).toFormat('HH:mm'));
  expect(walls.filter((wall) => !/^01:5\d$/.test(wall))).toEqual([]);
  expect(new Set(walls).size).toBeGreaterThan(5);
});

test('one invoice always has the same jitter, and invoices are spread over all of it', () => {
  const policy = { ...POLICY, jitterMinutes: 9 };
  const dueAt = seoul('2027-01-31T10:00').toUTC();
  const minuteOf = (seed: string) => retryAt(1, { dueAt, lastAttemptAt: dueAt, seed }, policy).minute;
  const minutes = Array.from({ length: 1_000 }, (_, index) => minuteOf(`sub-${index} 2027-01-31`));
  expect(new Set(minutes)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  expect(minuteOf('sub-7 2027-01-31')).toBe(minutes[7]);
});

test('of retries a day apart none adds its jitter to that of the one before', () => {
  const policy = { ...POLICY, jitterMinutes: 9 };
  const dueAt = seoul('2027-01-31T10:00').toUTC();
  for (const seed of Array.from({ length: 50 }, (_, index) => `sub-${index} 2027-01-31`)) {
    const late: number[] = [];
    let lastAttemptAt: DateTime = dueAt;
    for (const rung of [1, 2, 3, 4, 5, 6]) {
      lastAttemptAt = retryAt(rung, { dueAt, lastAttemptAt, seed }, policy);
      late.push(lastAttemptAt.diff(dueAt.plus({ days: rung })).as('minutes'));
    }
    expect(late).toEqual(late.map(() => late[0]));
  }
});

test('jitter never leads out of the window: what is that late goes when its rung says', () => {
  const policy = { ...POLICY, jitterMinutes: 9 };
  const minutes = ['20:30', '20:59'].map((due) => at(1, `2027-01-31T${due}`, `2027-01-31T${due}`, policy).slice(-5));
  expect(minutes).toEqual([expect.stringMatching(/^20:3[1-9]$/), '20:59']);
});

test('whatever the policy: never before the rung, never inside the gap, never outside the window, jitter included', () => {
  const minutes = fc.integer({ min: 60, max: 1_380 });
  const atNight = fc.integer({ min: 60, max: 240 });
  const windows = fc
    .oneof(fc.tuple(minutes, minutes), fc.tuple(atNight, atNight))
    .filter(([from, until]) => from < until)
    .map(([from, until]) => ({ from: clock(from), until: clock(until) }));
  const rungs = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constant('payday' as const));
  fc.assert(
    fc.property(
      ...[zonesAndDues, windows, rungs, fc.oneof(fc.constant(0), fc.nat(90 * 1_440)), fc.nat(240)],
      ...[fc.integer({ min: 1, max: 72 }), fc.string()],
      ([timezone, near], hours, rung, late, jitterMinutes, minGapHours, seed) => {
        const dueAt = near.minus({ days: rung === 'payday' ? 1 : rung });
        const lastAttemptAt = dueAt.plus({ minutes: late });
        const window = { ...hours, timezone };
        const retry = retryAt(rung, { dueAt, lastAttemptAt, seed }, { ...POLICY, window, jitterMinutes, minGapHours });
        const wall = retry.setZone(timezone).toFormat('HH:mm');
        expect(wall >= window.from && wall < window.until).toBe(true);
        expect(retry.diff(lastAttemptAt).as('hours')).toBeGreaterThanOrEqual(minGapHours);
        if (rung === 'payday') expect(isPayday(retry.setZone(timezone))).toBe(true);
        else expect(retry >= dueAt.setZone(timezone).plus({ days: rung })).toBe(true);
      },
    ),
    { numRuns: 3_000 },
  );
});

/** Instants of ten years, and of the days on which clocks change. */
const zonesAndDues = fc
  .constantFrom<[string, readonly string[]][]>(
    ['Asia/Seoul', ['2027-01-01']],
    ['America/New_York', ['2027-03-14', '2027-11-07']],
    ['Europe/London', ['2027-03-28', '2027-10-31']],
    ['Australia/Lord_Howe', ['2027-04-04', '2027-10-03']],
    ['America/Santiago', ['2027-04-04', '2027-09-05']],
    ['Etc/UTC', ['2027-01-01']],
  )
  .chain(([timezone, days]) => {
    const day = fc.constantFrom(...days).map((iso) => DateTime.fromISO(iso, { zone: timezone }));
    const any = fc.nat(5_000_000).map((minutes) => DateTime.utc(2027).plus({ minutes }));
    const near = fc.tuple(day, fc.nat(300)).map(([start, minutes]) => start.plus({ minutes }).toUTC());
    return fc.tuple(fc.constant(timezone), fc.oneof(any, near));
  });

function isPayday({ day }: DateTime): boolean {
  return day === 10 || day === 25;
}

/** Minutes of a day as `HH:mm`. */
function clock(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}
