import type { Failpoint } from '../../../src/failpoints.ts';
import { mayDouble } from './options.ts';
import { passedIn } from './passed.ts';
import type { Report } from './report.ts';

/** A run, as far as it is asked what it met with. */
export type Met = Pick<Report, 'command' | 'plan' | 'charges' | 'isWhole' | 'faults' | 'ambiguous' | 'doubles'>;

/** What runs must have met with to prove anything, where they fell short of it; small runs and chosen classes need not. */
export function shortcomings(reports: readonly Met[]): string[] {
  const large = reports.filter(({ charges, isWhole }) => isWhole && charges >= LARGE);
  const short = large.flatMap(({ command, plan, faults, ambiguous, doubles }) => [
    ...(sum(faults.process) < PROCESS_FAULTS ? [`${command}: only ${sum(faults.process)} faults at processes`] : []),
    ...(ambiguous < AMBIGUOUS ? [`${command}: only ${ambiguous} outcomes were unknown for a while`] : []),
    ...(mayDouble(plan) && doubles === 0 ? [`${command}: nothing was captured twice, to be found and given back`] : []),
  ]);
  return [
    ...short,
    ...rareIn(reports).map((name) => `${name} fired ${firedIn(reports, name)} times, ${TIMES} are needed`),
  ];
}

/** The failpoints that fired too rarely in all of them, where two were large. */
export function rareIn(reports: readonly Met[]): readonly Failpoint[] {
  const large = reports.filter(({ isWhole, charges }) => isWhole && charges >= LARGE);
  if (large.length < 2) return [];
  const passed = new Set(large.flatMap(({ plan }) => passedIn(plan)));
  return [...passed].filter((name) => firedIn(reports, name) < TIMES);
}

/** How often a failpoint fired in all of them. */
export function firedIn(reports: readonly Met[], name: string): number {
  return reports.reduce((times, { faults }) => times + (faults.failpoints?.[name] ?? 0), 0);
}

function sum(counts: Readonly<Record<string, number>> | undefined): number {
  return Object.values(counts ?? {}).reduce((all, each) => all + each, 0);
}

const LARGE = 3_000;
const PROCESS_FAULTS = 60;
const AMBIGUOUS = 600;
/** How often each failpoint must fire. */
export const TIMES = 3;
