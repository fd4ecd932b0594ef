import { DateTime, IANAZone } from 'luxon';
import { parseAnchor } from '../../billing/anchor.ts';
import {
  firstPeriodFrom,
  periodAt,
  periodIndexContaining,
  periodIndexStartingAt,
  type Schedule,
} from '../../billing/calendar.ts';
import { InputError } from '../../billing/errors.ts';
import { instantOf } from '../../billing/local-time.ts';

/** Where a subscription stands when it comes in: what counts as its first period, and which is billed next. */
export type Standing = {
  /** From here `ends_after` counts. */
  readonly firstPeriod: number;
  readonly nextPeriod: number;
  /** Start of the next period. */
  readonly nextDueAt: DateTime;
};

/**
 * Decides where billing begins. Nothing is billed that starts before `trialUntil` or `billedThrough`; of a past without
 * `billedThrough` only the period that contains `now` is owed, and counting begins there. Throws InputError when
 * `billedThrough` is no period's boundary.
 */
export function standingOf(
  schedule: Schedule,
  trialUntil: DateTime | null,
  billedThrough: DateTime | null,
  now: DateTime,
): Standing {
  const afterTrial = trialUntil === null ? 0 : firstPeriodFrom(schedule, trialUntil);
  const paid = billedThrough === null ? null : boundaryAt(schedule, billedThrough);
  const nextPeriod = Math.max(afterTrial, paid ?? periodIndexContaining(schedule, now));
  return {
    firstPeriod: paid === null ? nextPeriod : afterTrial,
    nextPeriod,
    nextDueAt: periodAt(schedule, nextPeriod).startAt,
  };
}

/**
 * Reads the instant of a column that lies on the schedule's time line: a date-time is local to its zone, a date alone
 * means that date at the anchor's time of day, and one with an offset says its instant. Throws InputError.
 */
export function parseInstant(text: string, schedule: Schedule): DateTime {
  const zone = schedule.timezone;
  const offset = /T.*(Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/.exec(text.replace(' ', 'T'));
  if (offset !== null) {
    parseAnchor(text.slice(0, -(offset[1] ?? '').length), zone, '00:00'); // refuses what no calendar has
    return DateTime.fromISO(text.replace(' ', 'T'), { zone: 'utc' });
  }
  const written = parseAnchor(text, zone, '00:00');
  const local = DATE.test(text) ? `${written.slice(0, 10)}${schedule.anchorLocal.slice(10)}` : written;
  return DateTime.fromMillis(instantOf(Date.parse(`${local}Z`), IANAZone.create(zone)), { zone: 'utc' });
}

function boundaryAt(schedule: Schedule, instant: DateTime): number {
  const index = periodIndexStartingAt(schedule, instant);
  if (index !== null) return index;
  const before = periodIndexContaining(schedule, instant);
  const nearest = [before, before + 1].filter((near) => near >= 0).map((near) => shown(schedule, near));
  throw new InputError(
    `${localText(instant, schedule.timezone)} is no boundary of a period`,
    nearest.length === 1 ? `the first period starts at ${nearest[0]}` : `the nearest are ${nearest.join(' and ')}`,
  );
}

function shown(schedule: Schedule, index: number): string {
  return localText(periodAt(schedule, index).startAt, schedule.timezone);
}

function localText(instant: DateTime, zone: string): string {
  return instant.setZone(zone).toISO({ includeOffset: false, suppressSeconds: true, suppressMilliseconds: true }) ?? '';
}

const DATE = /^\d{4}-\d\d-\d\d$/;
