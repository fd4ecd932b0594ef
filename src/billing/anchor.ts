import { IANAZone } from 'luxon';

import { InputError } from './errors.ts';
import { findZone, localOf } from './local-time.ts';

/** Reads an IANA time zone that came from outside, e.g. `Asia/Seoul`. Throws InputError. */
export function parseZone(text: string): string {
  const zone = findZone(text);
  if (zone !== null) return zone;
  throw new InputError(
    `${quoted(text)} is not a time zone`,
    'use a name of the IANA time zone database, such as Asia/Seoul',
  );
}

/** Reads a local time of day, `HH:mm`, from 00:00 to 23:59. Throws InputError. */
export function parseTimeOfDay(text: string): string {
  if (/^(?:[01]\d|2[0-3]):[0-5]\d$/.test(text)) return text;
  throw new InputError(`${quoted(text)} is not a time of day`, 'write HH:mm, from 00:00 to 23:59');
}

/**
 * Reads a billing anchor: a date-time means that local time in `zone`, a date alone that date at `chargeAt` (`HH:mm`).
 * Answers it as `2027-01-31T10:00:00`. A local time that the zone skips or repeats is kept as written; the calendar
 * resolves it per period. Throws InputError on dates that do not exist, on offsets, and outside 1970…2199.
 */
export function parseAnchor(text: string, zone: string, chargeAt: string): string {
  const match = ANCHOR.exec(text);
  if (match === null) {
    throw new InputError(`${quoted(text)} is not a date or date-time`, 'write 2027-01-31 or 2027-01-31T10:00');
  }
  const [, time = chargeAt, seconds = '00', fraction = '', offset] = match;
  const date = text.slice(0, 'yyyy-mm-dd'.length);
  const local = `${date}T${time}:${seconds}${fraction === '' ? '' : `.${fraction.padEnd(3, '0')}`}`.replace(
    /\.000$/,
    '',
  );
  const localMs = Date.parse(`${local}Z`);
  // The round trip refuses 30 February, which the parser takes for 2 March, and 24:00.
  if (Number.isNaN(localMs) || isoLocal(localMs) !== local) {
    throw new InputError(`${quoted(text)} does not exist in the calendar`, 'check the day and the time');
  }
  const year = Number(date.slice(0, 4));
  if (year < 1970 || year > 2199) throw new InputError(`${quoted(text)} is outside 1970…2199`, 'check the year');
  if (offset !== undefined) refuseOffset(text, zone);
  return local;
}

function refuseOffset(text: string, zone: string): never {
  const here = isoLocal(localOf(Date.parse(text.replace(' ', 'T')), IANAZone.create(zone)));
  throw new InputError(
    `${quoted(text)} carries an offset, but an anchor is local to its time zone`,
    `write it without; the same instant in ${zone} is ${here}`,
  );
}

function isoLocal(localMs: number): string {
  return new Date(localMs)
    .toISOString()
    .slice(0, -1)
    .replace(/\.000$/, '');
}

function quoted(text: string): string {
  return `'${text.length > 60 ? `${text.slice(0, 60)}…` : text}'`;
}

const ANCHOR = /^\d{4}-\d\d-\d\d(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(Z|[+-](?:0\d|1[0-8]):[0-5]\d)?)?$/;
