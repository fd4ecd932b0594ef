import { FAILPOINTS } from '../../../src/failpoints.ts';
import type { Report } from './report.ts';

/** What runs must have met with to prove anything, where they fell short of it; small runs and chosen classes need not. */
export function shortcomings(reports: readonly Report[]): string[] {
  const large = reports.filter(({ charges, isWhole }) => isWhole && charges >= LARGE);
  const short = large.flatMap(({ command, faults, ambiguous }) => [
    ...(sum(faults.process) < PROCESS_FAULTS ? [`${command}: only ${sum(faults.process)} faults at processes`] : []),
    ...(ambiguous < AMBIGUOUS ? [`${command}: only ${ambiguous} outcomes were unknown for a while`] : []),
  ]);
  if (large.length < 2) return short;
  const rare = FAILPOINTS.filter((name) => firedIn(large, name) < TIMES);
  return [...short, ...rare.map((name) => `${name} fired ${firedIn(large, name)} times, ${TIMES} are needed`)];
}

/** How often a failpoint fired in all of them. */
export function firedIn(reports: readonly Report[], name: string): number {
  return reports.reduce((times, { faults }) => times + (faults.failpoints?.[name] ?? 0), 0);
}

function sum(counts: Readonly<Record<string, number>> | undefined): number {
  return Object.values(counts ?? {}).reduce((all, each) => all + each, 0);
}

const LARGE = 3_000;
const PROCESS_FAULTS = 60;
const AMBIGUOUS = 600;
const TIMES = 3;
