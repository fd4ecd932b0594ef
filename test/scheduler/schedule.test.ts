import { expect, test } from '@jest/globals';
import { tickTimes } from '../../src/scheduler/schedule.ts';

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

test('a process that starts in between looks again for what the last tick of the schedule left, not for what began since', () => {
  const started = at('2027-01-01T06:00:00Z');
  expect(daily(started, at('2026-12-31T06:00:00Z'))).toBe(started + 60_000);
  expect(daily(started, at('2027-01-01T05:00:00Z'))).toBe(at('2027-01-02T01:00:00Z'));
});

test('a schedule of every minute goes by itself, whatever is left', () => {
  const minutely = tickTimes({ schedule: '* * * * *', timezone: 'Asia/Seoul' });
  expect(minutely(at('2027-01-01T01:00:07Z'), at('2026-12-01T00:00:00Z'))).toBe(at('2027-01-01T01:01:00Z'));
});
