import { DateTime, FixedOffsetZone, IANAZone } from 'luxon';

import { instantOf, localOf } from './local-time.ts';

export const INTERVALS = ['day', 'week', 'month', 'year'] as const;
export type Interval = (typeof INTERVALS)[number];

/** When a subscription falls due. `anchorLocal` as `parseAnchor` writes it: `2027-01-31T10:00:00`, local to `timezone`. */
export type Schedule = {
  readonly anchorLocal: string;
  readonly timezone: string;
  readonly interval: Interval;
  readonly intervalCount: number;
};

/**
 * One stretch of a schedule. `key` is its nominal local start date, unique within the schedule and rising with the
 * index; `endAt` is exclusive and equals the next period's `startAt`. Both instants are UTC.
 *
 * A zone that skips a whole date (Apia had no 2011-12-30) leaves a daily schedule one period of no length
 * (`startAt` = `endAt`). Nothing is owed for it, and none of the index functions ever answers it.
 */
export type Period = {
  readonly index: number;
  readonly key: string;
  readonly startAt: DateTime;
  readonly endAt: DateTime;
};

/**
 * Period `index` (0 = the first), counted from the anchor and never from the previous period: 31 Jan → 28 Feb →
 * 31 Mar, where adding one month at a time would stay on the 28th for good. Local times that do not exist move forward
 * by the gap, those that occur twice mean the first. Throws RangeError past the year 9999 and for a broken schedule.
 */
export function periodAt(schedule: Schedule, index: number): Period {
  if (!Number.isSafeInteger(index) || index < 0) throw new RangeError(`${index} is not a period's index`);
  const plan = planOf(schedule);
  const nominalMs = nominalStartMs(plan, index);
  if (!(nominalMs < YEAR_10000_MS)) throw new RangeError(`period ${index} starts after the year 9999`);
  return {
    index,
    key: new Date(nominalMs).toISOString().slice(0, 10),
    startAt: utc(instantOf(nominalMs, plan.zone)),
    endAt: utc(instantOf(nominalStartMs(plan, index + 1), plan.zone)),
  };
}

/** Index of the period that `instant` lies in, its start included and its end not; -1 before the anchor. */
export function periodIndexContaining(schedule: Schedule, instant: DateTime): number {
  return indexContaining(planOf(schedule), millisOf(instant));
}

/** Index of the period that starts at exactly `instant`, or null: then `instant` is no period's boundary. */
export function periodIndexStartingAt(schedule: Schedule, instant: DateTime): number | null {
  const plan = planOf(schedule);
  const index = indexContaining(plan, millisOf(instant));
  return index >= 0 && startMs(plan, index) === millisOf(instant) ? index : null;
}

/**
 * Index of the first period that starts at `instant` or after it; 0 for all instants up to the anchor. So
 * `firstPeriodFrom(schedule, period.endAt)` is the index of the period that follows `period`.
 */
export function firstPeriodFrom(schedule: Schedule, instant: DateTime): number {
  const plan = planOf(schedule);
  const index = indexContaining(plan, millisOf(instant));
  if (index >= 0 && startMs(plan, index) === millisOf(instant)) return index;
  return indexContaining(plan, startMs(plan, index + 1)); // asks again, so that a period of no length is passed over
}

/** A schedule taken apart: its first local start as if it were UTC, in ms, and its step in days or in months. */
type Plan = {
  readonly anchorMs: number;
  readonly zone: IANAZone;
  readonly step: { readonly unit: 'days' | 'months'; readonly count: number };
};

function planOf(schedule: Schedule): Plan {
  const { anchorLocal, timezone, interval, intervalCount } = schedule;
  const anchorMs = LOCAL.test(anchorLocal) ? Date.parse(`${anchorLocal}Z`) : Number.NaN;
  if (Number.isNaN(anchorMs)) throw new RangeError(`'${anchorLocal}' is not a local date-time`);
  const zone = IANAZone.create(timezone);
  if (!zone.isValid) throw new RangeError(`'${timezone}' is not a time zone`);
  if (!Number.isSafeInteger(intervalCount) || intervalCount < 1) {
    throw new RangeError(`${intervalCount} is not a count of intervals`);
  }
  const { unit, size } = STEPS[interval];
  return { anchorMs, zone, step: { unit, count: size * intervalCount } };
}

/** Local start of period `index` as if local time were UTC, in ms. The day is clamped to its month's last. */
function nominalStartMs(plan: Plan, index: number): number {
  const { anchorMs, step } = plan;
  if (step.unit === 'days') return anchorMs + index * step.count * DAY_MS;
  const anchor = new Date(anchorMs);
  const months = anchor.getUTCMonth() + index * step.count;
  const lastDay = new Date(Date.UTC(anchor.getUTCFullYear(), months + 1, 0)).getUTCDate();
  const day = Math.min(anchor.getUTCDate(), lastDay);
  return Date.UTC(anchor.getUTCFullYear(), months, day) + (anchorMs - Math.floor(anchorMs / DAY_MS) * DAY_MS);
}

function startMs(plan: Plan, index: number): number {
  return instantOf(nominalStartMs(plan, index), plan.zone);
}

/** The largest index whose period starts at or before the instant. The estimate is at most a step or two off. */
function indexContaining(plan: Plan, instantMs: number): number {
  let index = estimate(plan, instantMs);
  for (let tries = 0; tries < 8; tries += 1) {
    if (index >= 0 && startMs(plan, index) > instantMs) index -= 1;
    else if (startMs(plan, index + 1) <= instantMs) index += 1;
    else return index;
  }
  throw new Error(`no period found at ${instantMs}`);
}

function estimate({ anchorMs, zone, step }: Plan, instantMs: number): number {
  const nowMs = localOf(instantMs, zone);
  const [now, anchor] = [new Date(nowMs), new Date(anchorMs)];
  const passed =
    step.unit === 'days'
      ? (nowMs - anchorMs) / DAY_MS
      : (now.getUTCFullYear() - anchor.getUTCFullYear()) * 12 + now.getUTCMonth() - anchor.getUTCMonth();
  return Math.max(-1, Math.floor(passed / step.count));
}

function millisOf(instant: DateTime): number {
  const millis = instant.toMillis();
  if (!(Math.abs(millis) < YEAR_10000_MS)) throw new RangeError('the instant is invalid or after the year 9999');
  return millis;
}

function utc(millis: number): DateTime {
  return DateTime.fromMillis(millis, { zone: FixedOffsetZone.utcInstance });
}

const DAY_MS = 86_400_000;
const YEAR_10000_MS = Date.UTC(10_000, 0, 1);
const LOCAL = /^[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?$/;
const STEPS = {
  day: { unit: 'days', size: 1 },
  week: { unit: 'days', size: 7 },
  month: { unit: 'months', size: 1 },
  year: { unit: 'months', size: 12 },
} as const;
