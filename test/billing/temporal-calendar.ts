import { Temporal } from 'temporal-polyfill';
import type { Schedule } from '../../src/billing/calendar.ts';

/**
 * The rules of the calendar a second time, on another implementation of dates and zones: it shares no line with
 * `src/billing/`, and computes nothing by hand.
 */

/** One period by the rules; instants in ms since 1970. */
export type ReferencePeriod = {
  readonly index: number;
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
};

/** `count` periods from `first` on: each starts at the anchor and so many intervals, and ends where the next one starts. */
export function referencePeriods(schedule: Schedule, first: number, count: number): ReferencePeriod[] {
  const { anchorLocal, timezone, interval, intervalCount } = schedule;
  const anchor = Temporal.PlainDateTime.from(anchorLocal, { overflow: 'reject' });
  const nominals = Array.from({ length: count + 1 }, (_, at) =>
    anchor.add({ [`${interval}s`]: (first + at) * intervalCount }, { overflow: 'constrain' }),
  );
  // `compatible` is the rule of ours: forward by the gap, and the first of two.
  const starts = nominals.map((local) => local.toZonedDateTime(timezone, { disambiguation: 'compatible' }));
  return starts.slice(1).map((end, at) => ({
    index: first + at,
    key: nominals[at]?.toPlainDate().toString() ?? '',
    startMs: starts[at]?.epochMilliseconds ?? Number.NaN,
    endMs: end.epochMilliseconds,
  }));
}

/** What the index functions answer for an instant, by looking through consecutive periods; undefined for none of these. */
export type ReferenceIndexes = {
  readonly containing: number | undefined;
  readonly startingAt: number | null;
  readonly firstFrom: number | undefined;
};

/** A period of no length answers nothing. */
export function referenceIndexes(periods: readonly ReferencePeriod[], instantMs: number): ReferenceIndexes {
  const real = periods.filter(({ startMs, endMs }) => startMs < endMs);
  const [first] = periods;
  const isBeforeAnchor = first?.index === 0 && instantMs < first.startMs;
  const containing = real.find(({ startMs, endMs }) => startMs <= instantMs && instantMs < endMs);
  return {
    containing: isBeforeAnchor ? -1 : containing?.index,
    startingAt: real.find(({ startMs }) => startMs === instantMs)?.index ?? null,
    firstFrom: real.find(({ startMs }) => startMs >= instantMs)?.index,
  };
}

/** An anchor as it is kept, or why it is none: `local time there` is the one that its offset means in the zone. */
export type ReferenceAnchor =
  | { readonly kind: 'kept'; readonly local: string }
  | { readonly kind: 'offset'; readonly localThere: string }
  | { readonly kind: 'refused' };

/** Reads a date, or a date-time with `T` or a space, with or without an offset. */
export function referenceAnchor(text: string, zone: string, chargeAt: string): ReferenceAnchor {
  const [, written = '', offset] = /^(.*?)(Z|(?<=:.*)[+-]\d\d:\d\d)?$/.exec(text) ?? [];
  const local = localDateTime(written, chargeAt);
  if (local === null || local.year < 1970 || local.year > 2199) return { kind: 'refused' };
  if (offset === undefined) return { kind: 'kept', local: spelled(local) };
  const there = Temporal.Instant.from(text).toZonedDateTimeISO(zone).toPlainDateTime();
  return { kind: 'offset', localThere: spelled(there) };
}

function localDateTime(text: string, chargeAt: string): Temporal.PlainDateTime | null {
  try {
    if (text.includes(':')) return Temporal.PlainDateTime.from(text, { overflow: 'reject' });
    return Temporal.PlainDate.from(text, { overflow: 'reject' }).toPlainDateTime(chargeAt);
  } catch {
    return null;
  }
}

function spelled(local: Temporal.PlainDateTime): string {
  return local.toString({ smallestUnit: local.millisecond === 0 ? 'second' : 'millisecond' });
}

/** When a zone changes its clocks, as they stood before that: at this local time they skip, or begin to repeat. */
export function changesOf(zone: string, fromYear: number, toYear: number): Temporal.PlainDateTime[] {
  const found: Temporal.PlainDateTime[] = [];
  let at = Temporal.PlainDateTime.from({ year: fromYear, month: 1, day: 1 })
    .toZonedDateTime(zone)
    .getTimeZoneTransition('next');
  while (at !== null && at.year <= toYear) {
    found.push(at.subtract({ milliseconds: 1 }).toPlainDateTime().add({ milliseconds: 1 }));
    at = at.getTimeZoneTransition('next');
  }
  return found;
}
