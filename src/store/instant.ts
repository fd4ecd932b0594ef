import { DateTime } from 'luxon';

/** A `timestamptz` as the driver hands it over, in UTC. */
export function instant(date: Date): DateTime {
  return DateTime.fromJSDate(date, { zone: 'utc' });
}

/** The same where the column may be empty. */
export function instantOrNull(date: Date | null): DateTime | null {
  return date === null ? null : instant(date);
}
