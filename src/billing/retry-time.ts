import { DateTime } from 'luxon';
import type { DunningPolicy, RetryWindow, Rung } from './policy.ts';

/** What the instant of a retry rests on. */
export type RetryTiming = {
  readonly dueAt: DateTime;
  /** The last attempt on the card that is to be tried; the gap is counted from it, and no payday is of its day. */
  readonly lastAttemptAt: DateTime;
  /** The same for every retry of one invoice, and another one for another: what jitter is derived from. */
  readonly seed: string;
};

/**
 * When a rung is climbed: on its day at the local time at which the invoice fell due, not before the gap is over, inside
 * the window, and some minutes later by the invoice's own jitter. Days are those of the window's zone, so that a change of
 * its clocks moves no retry out of the window. A payday is climbed on that very day, or on the next one.
 */
export function retryAt(rung: Rung, { dueAt, lastAttemptAt, seed }: RetryTiming, policy: DunningPolicy): DateTime {
  const zone = policy.window?.timezone ?? dueAt.zone;
  const [due, last] = [dueAt.setZone(zone), lastAttemptAt.setZone(zone)];
  const earliest = last.plus({ hours: policy.minGapHours });
  const dayAfter = last.plus({ days: 1 });
  const payday = rung === 'payday' ? onPayday(due, DateTime.max(earliest, dayAfter.startOf('day')), policy) : undefined;
  if (rung !== 'payday') {
    // The gap is counted from a try that has its jitter already: with another one, each would come later than the last.
    const soonest = timed(earliest, '', { ...policy, jitterMinutes: 0 });
    return DateTime.max(timed(due.plus({ days: rung }), seed, policy), soonest).setZone(dueAt.zone);
  }
  const spread = timed(payday ?? DateTime.max(dayAfter, earliest), seed, policy);
  const isLate = payday !== undefined && !spread.hasSame(payday, 'day');
  return (isLate ? payday : spread).setZone(dueAt.zone);
}

/** The first instant from `at` on that lies in the window, with the invoice's jitter. */
export function timed(at: DateTime, seed: string, { window, jitterMinutes = 0 }: DunningPolicy): DateTime {
  if (window === undefined || window === null) return at.plus({ minutes: jitter(seed, jitterMinutes) });
  const open = intoWindow(at, window);
  const spread = open.plus({ minutes: jitter(seed, jitterMinutes) });
  return fits(spread, open, window) ? spread : open;
}

/** Whether the window leaves room for all of a policy's jitter after an instant in it. */
export function hasRoom(at: DateTime, { window = null, jitterMinutes = 0 }: DunningPolicy): boolean {
  return window === null || fits(at.plus({ minutes: jitterMinutes }), at, window);
}

function fits(spread: DateTime, open: DateTime, window: RetryWindow): boolean {
  return spread < on(open, window.until, window.timezone) && isWithin(spread, window);
}

/**
 * At the local time at which it fell due, where that may be, else at the first instant of a payday that may; undefined
 * where the policy names no paydays.
 */
function onPayday(
  { hour, minute, second, millisecond }: DateTime,
  earliest: DateTime,
  { paydays = [], window = null }: DunningPolicy,
): DateTime | undefined {
  const tries = paydaysFrom(earliest, paydays).flatMap((day) =>
    [day.set({ hour, minute, second, millisecond }), day].map((at) => {
      const from = DateTime.max(at, earliest);
      return { day, at: window === null ? from : intoWindow(from, window) };
    }),
  );
  return tries.find(({ day, at }) => at.hasSame(day, 'day'))?.at;
}

/** The paydays of this month and the next two, in order. */
function paydaysFrom(day: DateTime, paydays: readonly number[]): DateTime[] {
  const found = [0, 1, 2].flatMap((months) => {
    const month = day.startOf('month').plus({ months });
    const last = month.endOf('month').day;
    return paydays.map((payday) => month.set({ day: Math.min(payday, last) }));
  });
  return found.sort((one, other) => one.toMillis() - other.toMillis());
}

/** Where clocks jump over the whole of a window, that day has none. */
function intoWindow(at: DateTime, window: RetryWindow): DateTime {
  for (let days = 0; ; days += 1) {
    const opening = on(at, window.from, window.timezone, days);
    const closing = on(at, window.until, window.timezone, days);
    if (opening < closing && at < closing) return DateTime.max(at, opening);
  }
}

/** By its wall time: where clocks go back, a window that opens between may be left again for a part of an hour. */
function isWithin(at: DateTime, { from, until, timezone }: RetryWindow): boolean {
  const wall = at.setZone(timezone).toFormat('HH:mm');
  return wall >= from && wall < until;
}

/** `HH:mm` on the local day of an instant, or some days later; where clocks jump over that, the instant at which they do. */
function on(at: DateTime, time: string, timezone: string, days = 0): DateTime {
  const [hour, minute] = [Number(time.slice(0, 2)), Number(time.slice(3))];
  const local = at.setZone(timezone).plus({ days }).set({ hour, minute, second: 0, millisecond: 0 });
  return (local.toFormat('HH:mm') === time ? local : jumpBefore(local)).setZone(at.zone);
}

/** What luxon makes of a wall time that is skipped lies as far past the jump as the wall time is past its beginning. */
function jumpBefore(local: DateTime): DateTime {
  for (let jump = local; ; ) {
    const minuteBefore = jump.minus({ minutes: 1 });
    if (minuteBefore.offset !== local.offset) return jump;
    jump = minuteBefore;
  }
}

/** Whole minutes from 0 to `most`, always the same for one seed (FNV-1a). */
function jitter(seed: string, most: number): number {
  let hash = 0x811c9dc5;
  for (const character of seed) hash = Math.imul(hash ^ Number(character.codePointAt(0)), 0x01000193);
  return (hash >>> 0) % (most + 1);
}
