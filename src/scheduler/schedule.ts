import { Cron } from 'croner';
import type { DateTime } from 'luxon';

/** When to tick: a cron expression, in this zone. */
export type TickSchedule = { readonly schedule: string; readonly timezone: string };

/**
 * Finds the first tick after an instant; infinity where none comes any more. `leftMs` is when the earliest period begins
 * that is not drawn up: where the schedule's last tick should have found it, the next tick is a minute away, for a tick
 * draws up one period of a subscription at most, and may come a little early by the database's clock. With a schedule no
 * more frequent than its periods, a subscription that was once behind would else stay behind for ever. All instants in
 * milliseconds since 1970. Reads the expression once.
 */
export function tickTimes({ schedule, timezone }: TickSchedule): (afterMs: number, leftMs?: number | null) => number {
  const cron = new Cron(schedule, { timezone, paused: true });
  return (afterMs, leftMs = null) => {
    const nextMs = cron.nextRun(new Date(afterMs))?.getTime() ?? Number.POSITIVE_INFINITY;
    if (leftMs === null || nextMs - afterMs <= AGAIN_MS) return nextMs;
    const [last] = cron.previousRuns(1, new Date(afterMs + 1));
    return leftMs <= (last?.getTime() ?? afterMs) + CLOCKS_APART_MS ? afterMs + AGAIN_MS : nextMs;
  };
}

/**
 * When the tick comes that finds what begins at `dueMs`, where one was made at `lastMs`. A scheduler ticks with nothing to
 * do as well: the schedule's tick a little before it, made or not, has it tick again within a minute.
 */
export function tickFor(schedule: TickSchedule): (dueMs: number, lastMs: number) => number {
  const nextTickMs = tickTimes(schedule);
  return (dueMs, lastMs) => {
    const nextMs = nextTickMs(lastMs, dueMs);
    if (nextMs >= dueMs) return nextMs;
    const beforeMs = nextTickMs(dueMs - AGAIN_MS - 1);
    return beforeMs >= dueMs ? beforeMs : nextTickMs(beforeMs, dueMs);
  };
}

/** The first tick of a schedule that finds what begins at an instant, or that instant where none comes any more. */
export function firstTick(schedule: TickSchedule): (startAt: DateTime) => DateTime {
  const nextTickMs = tickTimes(schedule);
  return (startAt) => {
    const ms = nextTickMs(startAt.toMillis() - 1);
    return Number.isFinite(ms) ? startAt.plus(ms - startAt.toMillis()) : startAt;
  };
}

/**
 * The longest time between two ticks in the year from an instant, in days; infinity where none comes any more. A time
 * of less than a day may be a longer one.
 */
export function daysBetweenTicks({ schedule, timezone }: TickSchedule, fromMs: number): number {
  const cron = new Cron(schedule, { timezone, paused: true });
  let longestMs = 0;
  let lastMs = cron.previousRuns(1, new Date(fromMs))[0]?.getTime() ?? fromMs;
  while (lastMs < fromMs + YEAR_MS) {
    const nextMs = cron.nextRun(new Date(lastMs))?.getTime() ?? Number.POSITIVE_INFINITY;
    longestMs = Math.max(longestMs, nextMs - lastMs);
    if (!Number.isFinite(nextMs)) break;
    // Of those within a day of it only the last one may be followed by a gap of more than a day.
    lastMs = Math.max(nextMs, cron.previousRuns(1, new Date(nextMs + DAY_MS))[0]?.getTime() ?? nextMs);
  }
  return longestMs / DAY_MS;
}

const DAY_MS = 86_400_000;
const YEAR_MS = 366 * DAY_MS;
/** How long after a tick that left something the next one is made. */
const AGAIN_MS = 60_000;
/** By how much this host's clock may run ahead of the database's. */
const CLOCKS_APART_MS = 60_000;
