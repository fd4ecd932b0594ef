import { expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { Temporal } from 'temporal-polyfill';
import { parseAnchor } from '../../src/billing/anchor.ts';
import {
  firstPeriodFrom,
  INTERVALS,
  type Interval,
  periodAt,
  periodIndexContaining,
  periodIndexStartingAt,
  type Schedule,
} from '../../src/billing/calendar.ts';
import { InputError } from '../../src/billing/errors.ts';
import { Chance } from '../fault/model/chance.ts';
import {
  changesOf,
  type ReferencePeriod,
  referenceAnchor,
  referenceIndexes,
  referencePeriods,
} from './temporal-calendar.ts';

const ZONES = [
  'UTC',
  'Asia/Seoul', // summer time in 1987 and 1988
  'America/New_York', // its summer grew longer in 2007
  'Australia/Lord_Howe', // half an hour of summer time
  'Pacific/Apia', // no 2011-12-30; summer time until 2021
  'Africa/Casablanca', // back for Ramadan, twice in a year
];
const [FIRST_YEAR, LAST_YEAR, LAST_ANCHOR_YEAR] = [1985, 2064, 2024];
const SCHEDULES = 5_000;
const STRETCH = 40;

test('200,000 periods start, end, are called and are found as another implementation of dates and zones says', () => {
  const differences: unknown[] = [];
  let compared = 0;
  for (let seed = 1; seed <= SCHEDULES; seed += 1) {
    const chance = new Chance(seed);
    const { schedule, first } = anySchedule(chance, ZONES[seed % ZONES.length] ?? 'UTC');
    const beyond = referencePeriods(schedule, first, STRETCH + 2); // two more, so that what follows the last is known
    for (const period of beyond.slice(0, STRETCH)) {
      const isBeforeKnown = period.index === 0 || period.startMs > (beyond[0]?.startMs ?? Infinity);
      const instantMs = anyInstant(chance, period, isBeforeKnown);
      const [ours, theirs] = [whatWeSay(schedule, period.index, instantMs), whatTheySay(beyond, period, instantMs)];
      compared += 1;
      if (ours !== theirs) differences.push({ seed, schedule, index: period.index, instantMs, ours, theirs });
    }
  }
  expect({ of: compared, some: differences.slice(0, 3), all: differences.length }).toEqual({
    of: 200_000,
    some: [],
    all: 0,
  });
}, 120_000);

test('20,000 anchors, many of them broken, are read as another implementation of dates and zones reads them', () => {
  const differences: unknown[] = [];
  const kinds = new Set<string>();
  for (let seed = 1; seed <= 20_000; seed += 1) {
    const chance = new Chance(seed);
    const [text, zone, chargeAt] = [anyText(chance), chance.pick(ZONES), chance.pick(['10:00', '00:00', '23:59'])];
    const theirs = referenceAnchor(text, zone, chargeAt);
    kinds.add(theirs.kind);
    const ours = read(text, zone, chargeAt);
    const agrees =
      theirs.kind === 'kept'
        ? ours.kept === theirs.local
        : ours.refusal !== undefined &&
          (theirs.kind === 'refused' || ours.refusal.endsWith(` is ${theirs.localThere}`));
    if (!agrees) differences.push({ seed, text, zone, chargeAt, ours, theirs });
  }
  expect({ some: differences.slice(0, 3), all: differences.length }).toEqual({ some: [], all: 0 });
  expect(kinds.size).toBe(3);
});

function whatWeSay(schedule: Schedule, index: number, instantMs: number): string {
  const { key, startAt, endAt } = periodAt(schedule, index);
  const instant = DateTime.fromMillis(instantMs, { zone: 'utc' });
  const [containing, startingAt, firstFrom] = [
    periodIndexContaining(schedule, instant),
    periodIndexStartingAt(schedule, instant),
    firstPeriodFrom(schedule, instant),
  ];
  return `${key} ${startAt.toMillis()}…${endAt.toMillis()}, in ${containing}, at ${startingAt}, from ${firstFrom}`;
}

function whatTheySay(periods: readonly ReferencePeriod[], { key, startMs, endMs }: ReferencePeriod, instantMs: number) {
  const { containing, startingAt, firstFrom } = referenceIndexes(periods, instantMs);
  return `${key} ${startMs}…${endMs}, in ${containing}, at ${startingAt}, from ${firstFrom}`;
}

/** A boundary of the period, a millisecond beside it, or an instant within. */
function anyInstant(chance: Chance, { startMs, endMs }: ReferencePeriod, isBeforeKnown: boolean): number {
  const within = startMs + Math.floor(chance.next() * (endMs - startMs));
  return chance.pick([startMs, isBeforeKnown ? startMs - 1 : startMs, startMs + 1, within, endMs - 1, endMs]);
}

/** A schedule and an index, near which a period often falls into an hour that a zone skips or repeats. */
function anySchedule(chance: Chance, timezone: string): { readonly schedule: Schedule; readonly first: number } {
  const interval = chance.pick(INTERVALS);
  const intervalCount = chance.hits(0.5) ? 1 : 1 + chance.below(MOST[interval]);
  const target = anyLocalTime(chance, timezone);
  const fewest = Math.max(0, target.year - LAST_ANCHOR_YEAR);
  const years = fewest + chance.below(Math.max(1, target.year - FIRST_YEAR - fewest)) + chance.next();
  const steps = Math.floor((years * PER_YEAR[interval]) / intervalCount);
  const anchor = target.subtract({ [`${interval}s`]: steps * intervalCount }).toString();
  const schedule = { anchorLocal: parseAnchor(anchor, timezone, '10:00'), timezone, interval, intervalCount };
  return { schedule, first: Math.max(0, steps - chance.below(STRETCH)) };
}

function anyLocalTime(chance: Chance, zone: string): Temporal.PlainDateTime {
  const changes = CHANGES.get(zone) ?? [];
  const minute = chance.below(60);
  if (changes.length > 0 && chance.hits(0.6)) {
    const minutes = chance.hits(0.5) ? 15 * chance.below(13) - 60 : chance.below(300) - 120;
    return chance
      .pick(changes)
      .add({ minutes })
      .subtract({ milliseconds: chance.hits(0.2) ? 1 : 0 });
  }
  const [year, month] = [FIRST_YEAR + 1 + chance.below(LAST_YEAR - FIRST_YEAR), 1 + chance.below(12)];
  const day = chance.hits(0.5) ? 28 + chance.below(4) : 1 + chance.below(31); // most months end before the 31st
  return Temporal.PlainDateTime.from({ year, month, day, hour: chance.below(24), minute }, { overflow: 'constrain' });
}

/** A date or date-time of which each part may be out of bounds. Second 60 is left out: the other takes it for the 59th. */
function anyText(chance: Chance): string {
  const part = (least: number, most: number) => {
    const odd = chance.hits(0.03) ? chance.pick([-1, 1]) : 0;
    return String(odd === 0 ? least + chance.below(most - least + 1) : odd < 0 ? Math.max(0, least - 1) : most + 1);
  };
  const two = (least: number, most: number) => part(least, most).padStart(2, '0');
  const date = `${part(1970, 2199)}-${two(1, 12)}-${two(chance.hits(0.3) ? 28 : 1, 31)}`;
  if (chance.hits(0.3)) return date;
  const second = chance.hits(0.5) ? '' : `:${String(chance.below(60)).padStart(2, '0')}`;
  const fraction =
    second === '' || chance.hits(0.5)
      ? ''
      : `.${String(chance.below(1_000))
          .padStart(3, '0')
          .slice(0, 1 + chance.below(3))}`;
  const offset = chance.hits(0.7) ? '' : chance.pick(['Z', '+09:00', '-05:00', '+00:00', '-00:00', '+05:45', '-18:30']);
  return `${date}${chance.pick(['T', ' '])}${two(0, 23)}:${two(0, 59)}${second}${fraction}${offset}`;
}

function read(text: string, zone: string, chargeAt: string): { readonly kept?: string; readonly refusal?: string } {
  try {
    return { kept: parseAnchor(text, zone, chargeAt) };
  } catch (error) {
    if (error instanceof InputError) return { refusal: `${error.message} ${error.remedy}` };
    throw error;
  }
}

const MOST: Readonly<Record<Interval, number>> = { day: 45, week: 10, month: 18, year: 4 };
const PER_YEAR: Readonly<Record<Interval, number>> = { day: 365, week: 52, month: 12, year: 1 };
const CHANGES = new Map(ZONES.map((zone) => [zone, changesOf(zone, FIRST_YEAR + 1, LAST_YEAR)]));
