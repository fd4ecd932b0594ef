import { IANAZone } from 'luxon';

/**
 * The instant, in ms since 1970, of a local time in a zone; `localMs` is that local time as if it were UTC.
 * A local time that does not exist moves forward by the gap; one that occurs twice means the first. Luxon's own
 * conversion is not used, because it leaves the choice between two instants undefined.
 */
export function instantOf(localMs: number, zone: IANAZone): number {
  // A day on either side is outside any offset and inside any two neighbouring changes of a zone's rules.
  const early = localMs - offsetMs(localMs - DAY_MS, zone);
  const late = localMs - offsetMs(localMs + DAY_MS, zone);
  if (early === late) return early;
  const candidates = [early, late].filter((instantMs) => localOf(instantMs, zone) === localMs);
  return candidates.length === 0 ? early : Math.min(...candidates); // in a gap, the offset before it moves it forward
}

/** The local time in a zone at an instant (ms since 1970), as if it were UTC, in ms. */
export function localOf(instantMs: number, zone: IANAZone): number {
  return instantMs + offsetMs(instantMs, zone);
}

/** Reads an IANA time zone, e.g. `Asia/Seoul`. Null when it is none: an offset, an abbreviation, a misspelling. */
export function findZone(name: string): string | null {
  if (!/^[A-Za-z][\w+/-]{1,63}$/.test(name) || !IANAZone.isValidZone(name)) return null;
  return LISTED.get(name.toLowerCase()) ?? name;
}

/**
 * Asking ICU for an offset takes 5 µs, so the offsets at the edges of each day are kept; no zone changes its offset
 * twice in one UTC day.
 */
function offsetMs(instantMs: number, zone: IANAZone): number {
  const day = Math.floor(instantMs / DAY_MS);
  const offset = offsetAtDay(day, zone);
  return offset === offsetAtDay(day + 1, zone) ? offset : askOffset(instantMs, zone);
}

function offsetAtDay(day: number, zone: IANAZone): number {
  const days = known.get(zone) ?? new Map<number, number>();
  known.set(zone, days);
  const kept = days.get(day);
  if (kept !== undefined) return kept;
  if (days.size >= MAX_DAYS) days.clear();
  const offset = askOffset(day * DAY_MS, zone);
  days.set(day, offset);
  return offset;
}

function askOffset(instantMs: number, zone: IANAZone): number {
  return Math.round(zone.offset(instantMs) * 60_000); // luxon answers minutes, with a fraction before standard time
}

const DAY_MS = 86_400_000;
const MAX_DAYS = 10_000;
const known = new WeakMap<IANAZone, Map<number, number>>();
const LISTED: ReadonlyMap<string, string> = new Map(
  ['UTC', ...Intl.supportedValuesOf('timeZone')].map((name) => [name.toLowerCase(), name]),
);
