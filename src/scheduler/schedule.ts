import { Cron } from 'croner';

/** When to tick: a cron expression, in this zone. */
export type TickSchedule = { readonly schedule: string; readonly timezone: string };

/**
 * Finds the first tick after an instant, both in milliseconds since 1970; infinity where none comes any more. Reads the
 * expression once.
 */
export function tickTimes({ schedule, timezone }: TickSchedule): (afterMs: number) => number {
  const cron = new Cron(schedule, { timezone, paused: true });
  return (afterMs) => cron.nextRun(new Date(afterMs))?.getTime() ?? Number.POSITIVE_INFINITY;
}
