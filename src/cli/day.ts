import { DateTime } from 'luxon';
import { InputError } from '../billing/errors.ts';

/** The start of a day in the zone, or the instant that is written out. Throws InputError naming the option. */
export function dayOf(option: string, text: string, zone: string): DateTime {
  const at = DateTime.fromISO(text, { zone });
  if (BEGINS_WITH_A_DAY.test(text) && at.isValid) return at.toUTC();
  throw new InputError(`${option} is '${text}'`, 'write a date such as 2027-01-31');
}

/** Of an hour alone, which day it is would depend on this host's clock. */
const BEGINS_WITH_A_DAY = /^\d{4}-\d{2}-\d{2}(T|$)/u;
