import { expect, test } from '@jest/globals';
import { daysBetweenTicks, tickTimes } from '../../src/scheduler/schedule.ts';

const at = (text: string) => Date.parse(text);
const daily = tickTimes({ schedule: '0 10 * * *', timezone: 'Asia/Seoul' });

test.each([
  ['nothing is left', null, '2027-01-02T01:00:00Z'],
  ['the next period begins tomorrow', '2027-01-02T01:00:00Z', '2027-01-02T01:00:00Z'],
  ['a period that began yesterday is left', '2026-12-31T01:00:00Z', '2027-01-01T01:01:07Z'],
  [
    'a period that begins with the tick is left, by a clock a little behind',
    '2027-01-01T01:00:00Z',
    '2027-01-01T01:01:07Z',
  ],
  ['a period begins a minute after the tick', '2027-01-01T01:01:00Z', '2027-01-01T01:01:07Z'],
  ['a period begins later in the day', '2027-01-01T01:01:00.001Z', '2027-01-02T01:00:00Z'],
])('after the tick of a daily schedule, where %s', (_, left, next) => {
  const ticked = at('2027-01-01T01:00:07Z');
  expect(new Date(daily(ticked, left === null ? null : at(left))).toISOString()).toBe(new Date(next).toISOString());
});

test.each([
  ['* * * * *', 'Asia/Seoul', 1 / 1440],
  ['* * * * 1', 'Asia/Seoul', 6 + 1 / 1440],
  ['*/5 9-18 * * 1-5', 'Asia/Seoul', 2 + 14 / 24 + 5 / 1440],
  ['0 10 1 1 *', 'Asia/Seoul', 366],
  ['0 10 * * *', 'Asia/Seoul', 1],
  ['0 10 * * 1-5', 'Asia/Seoul', 3],
  ['0 10 1 * *', 'Asia/Seoul', 31],
  ['0 10 * * *', 'America/New_York', 25 / 24],
  ['0 0 30 2 *', 'Asia/Seoul', Number.POSITIVE_INFINITY],
])('%s in %s: as many days pass between two ticks as at most do, summer time and all', (schedule, timezone, days) => {
  for (const from of ['2027-09-01T00:00:00Z', '2027-09-03T10:00:00Z', '2027-09-06T03:00:00Z'])
    expect(daysBetweenTicks({ schedule, timezone }, at(from))).toBeCloseTo(days, 6);
});

test('a process that starts in between looks again for what the last tick of the schedule left, not for what began since', () => {
  const started = at('2027-01-01T06:00:00Z');
  expect(daily(started, at('2026-12-31T06:00:00Z'))).toBe(started + 60_000);
  expect(daily(started, at('2027-01-01T05:00:00Z'))).toBe(at('2027-01-02T01:00:00Z'));
});

test('a schedule of every minute goes by itself, whatever is left', () => {
  const minutely = tickTimes({ schedule: '* * * * *', timezone: 'Asia/Seoul' });
  expect(minutely(at('2027-01-01T01:00:07Z'), at('2026-12-01T00:00:00Z'))).toBe(at('2027-01-01T01:01:00Z'));
});
