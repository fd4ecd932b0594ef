import { Cron } from 'croner';

/** When to tick: a cron expression, in this zone. */
export type TickSchedule = { readonly schedule: string; readonly timezone: string };

/** The first tick after an instant, both in milliseconds since 1970; infinity where none comes any more. */
export function nextTickMs({ schedule, timezone }: TickSchedule, afterMs: number): number {
  const next = new Cron(schedule, { timezone, paused: true }).nextRun(new Date(afterMs));
  return next?.getTime() ?? Number.POSITIVE_INFINITY;
}
