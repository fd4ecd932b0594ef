import { beforeAll, expect, test } from '@jest/globals';
import type { Line } from '../../src/simulate/line.ts';
import { linesOf, play } from './play.ts';

/** The local time of a charge at 10:00, in UTC: in January, and in July. */
const ZONES: readonly (readonly [zone: string, january: string, july: string])[] = [
  ['Asia/Seoul', '2027-01-28T01:00:00Z', '2027-07-28T01:00:00Z'],
  ['America/New_York', '2027-01-28T15:00:00Z', '2027-07-28T14:00:00Z'],
  ['Australia/Lord_Howe', '2027-01-27T23:00:00Z', '2027-07-27T23:30:00Z'],
  ['UTC', '2027-01-28T10:00:00Z', '2027-07-28T10:00:00Z'],
];

/** What a person would write into a calendar, month by month: 2028 is a leap year. */
const DAYS: Readonly<Record<string, string>> = {
  28: `2027: 28 28 28 28 28 28 28 28 28 28 28 28 · 2028: 28 28 28 28 28 28 28 28 28 28 28 28 · 2029: 28 28 28 28 28 28 28 28 28 28 28 28`,
  29: `2027: 29 28 29 29 29 29 29 29 29 29 29 29 · 2028: 29 29 29 29 29 29 29 29 29 29 29 29 · 2029: 29 28 29 29 29 29 29 29 29 29 29 29`,
  30: `2027: 30 28 30 30 30 30 30 30 30 30 30 30 · 2028: 30 29 30 30 30 30 30 30 30 30 30 30 · 2029: 30 28 30 30 30 30 30 30 30 30 30 30`,
  31: `2027: 31 28 31 30 31 30 31 31 30 31 30 31 · 2028: 31 29 31 30 31 30 31 31 30 31 30 31 · 2029: 31 28 31 30 31 30 31 31 30 31 30 31`,
};

let lines: Line[];
beforeAll(async () => {
  const subscribers = ZONES.flatMap(([timezone]) =>
    Object.keys(DAYS).map((day) => ({ id: `${timezone} ${day}`, anchor: `2027-01-${day}T10:00`, timezone })),
  );
  lines = await play({ subscribers, from: '2027-01-01', until: '2030-01-02' });
}, 240_000); // a thousand audits: half a minute where nobody else needs the machine

test.each(ZONES)('in %s three years of charges fall on the days that a person would write down', (zone) => {
  for (const [anchor, days] of Object.entries(DAYS)) {
    const own = linesOf(lines, `${zone} ${anchor}`).filter(({ period }) => period < '2030');
    expect(own.map(({ outcome }) => outcome)).toEqual(own.map(() => 'paid'));
    const years = ['2027', '2028', '2029'].map((year) => {
      const inYear = own.filter(({ period }) => period.startsWith(year));
      expect(inYear.map(({ period }) => period.slice(5, 7))).toEqual(MONTHS);
      return `${year}: ${inYear.map(({ period }) => period.slice(8)).join(' ')}`;
    });
    expect(years.join(' · ')).toBe(days);
    const local = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
    expect(own.map(({ at }) => local.format(new Date(at)))).toEqual(own.map(({ period }) => `${period} 10:00`));
  }
});

test.each(ZONES)('in %s a charge at ten is a charge at ten in summer and in winter', (zone, january, july) => {
  const at = linesOf(lines, `${zone} 28`).map((line) => line.at);
  expect([at[0], at[6]]).toEqual([january, july]);
});

const MONTHS = Array.from({ length: 12 }, (_, month) => String(month + 1).padStart(2, '0'));
