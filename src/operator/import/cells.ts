import { parseZone } from '../../billing/anchor.ts';
import { INTERVALS, type Interval } from '../../billing/calendar.ts';
import { InputError } from '../../billing/errors.ts';

/** A reader for text of at most `max` characters on one line; an emoji counts as two, as it does for most who read it. */
export function textUpTo(max: number): (text: string) => string {
  return (text) => {
    const { length } = text;
    if (length > max) throw new InputError(`${length} characters`, `write at most ${max}`);
    if (/\p{Cc}/u.test(text)) throw new InputError('a line break or control character', 'write one line of text');
    return text;
  };
}

/** Reads an address that PortOne would take: at most 64 characters with an @ inside. */
export function parseEmail(text: string): string {
  if (!/^[^\s@]+@[^\s@]+$/.test(text))
    throw new InputError(`'${text}' is not an e-mail address`, 'correct it or leave it blank');
  return textUpTo(64)(text);
}

export function parseInterval(text: string): Interval {
  const interval = INTERVALS.find((known) => known === text);
  if (interval === undefined)
    throw new InputError(`'${text}' is not an interval`, `use one of ${INTERVALS.join(', ')}`);
  return interval;
}

/** Reads a time zone, asking ICU about each name once: that takes 0.2 ms, too long for each of 100,000 rows. */
export function parseKnownZone(text: string): string {
  const known = ZONES.get(text);
  if (known !== undefined) return known;
  const zone = parseZone(text);
  if (ZONES.size < MAX_ZONES) ZONES.set(text, zone);
  return zone;
}

/** A reader for whole numbers from 1 to `max`. */
export function countUpTo(max: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (count < 1 || count > max)
      throw new InputError(`'${text}' is not a whole number from 1 to ${max}`, 'correct it');
    return count;
  };
}

/** Reads `customer_uid`s with `;` between them; blanks between are passed over. */
export function parseUids(text: string): string[] {
  const uids = text.split(';').map((uid) => uid.trim());
  return uids.filter((uid) => uid !== '').map(textUpTo(80));
}

/** A date or date-time spelled one way: `2027-01-31`, `2027-01-31T10:00`. Says nothing about its truth. */
export function sameSpelling(text: string): string {
  return text
    .replace(' ', 'T')
    .replace(/\.0+(?=$|Z|[+-])/, '')
    .replace(/(T\d\d:\d\d):00(?=$|Z|[+-])/, '$1');
}

/** By what rows call them; only names that exist. */
const ZONES = new Map<string, string>();
const MAX_ZONES = 1_000;
