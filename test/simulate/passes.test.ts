import { expect, test } from '@jest/globals';
import type { Shift } from '../../src/app/shift.ts';
import { tickFor } from '../../src/scheduler/schedule.ts';
import { Passes } from '../../src/simulate/passes.ts';

const at = (text: string) => Date.parse(text);
const never = { settle: null, sweep: null, lateWatch: null, refunds: null, audit: null };

/** When the tick comes for a period that begins at `due`, the last tick that did something days ago. */
async function tickOf(schedule: string, due: string): Promise<string> {
  const pass = async () => undefined;
  const tickMs = tickFor({ schedule, timezone: 'Asia/Seoul' });
  const shift: Shift = {
    tick: pass,
    settle: pass,
    sweep: pass,
    lateWatch: pass,
    refunds: pass,
    audit: pass,
    work: pass,
    tickMs,
  };
  const passes = new Passes(shift);
  for (const name of ['tick', 'settle', 'sweep', 'audit', 'lateWatch', 'refunds'] as const) {
    await passes.make(name, at('2027-01-01T00:00:00Z'));
  }
  return new Date(passes.nextMs({ tick: new Date(due), ...never })).toISOString();
}

test.each([
  ['with the tick of a daily schedule', '0 10 * * *', '2027-01-03T01:00:00.000Z', '2027-01-03T01:00:00.000Z'],
  ['half a minute after it', '0 10 * * *', '2027-01-03T01:00:30.000Z', '2027-01-03T01:01:00.000Z'],
  ['a minute after it', '0 10 * * *', '2027-01-03T01:01:00.000Z', '2027-01-03T01:01:00.000Z'],
  ['more than a minute after it', '0 10 * * *', '2027-01-03T01:01:00.001Z', '2027-01-04T01:00:00.000Z'],
  ['on a minute of a schedule of every minute', '* * * * *', '2027-01-03T01:01:00.000Z', '2027-01-03T01:01:00.000Z'],
  ['between two minutes of it', '* * * * *', '2027-01-03T01:01:00.001Z', '2027-01-03T01:02:00.000Z'],
])(
  'what begins %s is drawn up when the loop would, which ticks with nothing to do as well',
  async (_, schedule, due, tick) => {
    expect(await tickOf(schedule, due)).toBe(tick);
  },
);
