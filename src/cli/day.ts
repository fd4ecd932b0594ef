import { DateTime } from 'luxon';
import { InputError } from '../billing/errors.ts';

/** The start of a day in the zone, or the instant that is written out. Throws InputError naming the option. */
export function dayOf(option: string, text: string, zone: string): DateTime {
  const at = DateTime.fromISO(text, { zone });
  if (at.isValid) return at.toUTC();
  throw new InputError(`${option} is '${text}'`, 'write a date such as 2027-01-31');
}
