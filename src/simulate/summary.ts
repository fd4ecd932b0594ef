import { DateTime } from 'luxon';
import type { SimulatedAttempt } from '../store/simulated-attempts.ts';
import { iso, lineOf, type Outcome } from './line.ts';
import { type Recovery, recoveryOf } from './recovery.ts';
import type { Simulation } from './simulate.ts';

/** Minor units by currency. */
export type Amounts = Readonly<Record<string, number>>;

/** What fell due in one month of the merchant's zone: periods, and attempts for them. */
export type Month = {
  /** `2027-01`. */
  readonly month: string;
  readonly invoices: number;
  readonly attempts: number;
  readonly outcomes: Outcomes;
  readonly collected: Amounts;
};

/** What a simulation came to. */
export type Summary = {
  readonly from: string;
  readonly until: string;
  readonly subscriptions: number;
  readonly invoices: number;
  readonly attempts: number;
  readonly outcomes: Outcomes;
  readonly collected: Amounts;
  readonly recovery: Recovery;
  /** How often each step of dunning was entered, by its name. */
  readonly steps: Readonly<Record<string, number>>;
  readonly months: readonly Month[];
};

type Outcomes = Readonly<Record<Outcome, number>>;

/** Adds a simulation up; months are those of the zone. */
export function summarize(
  { attempts, steps, subscriptions }: Simulation,
  { from, until, timezone }: { readonly from: DateTime; readonly until: DateTime; readonly timezone: string },
): Summary {
  const months = new Map<string, SimulatedAttempt[]>();
  for (const attempt of attempts) {
    const month = monthOf(attempt, timezone);
    const own = months.get(month);
    if (own === undefined) months.set(month, [attempt]);
    else own.push(attempt);
  }
  return {
    from: iso(from.toJSDate()),
    until: iso(until.toJSDate()),
    subscriptions,
    ...totals(attempts),
    recovery: recoveryOf(attempts),
    steps: byName(steps),
    months: [...months].map(([month, own]) => ({ month, ...totals(own) })),
  };
}

function totals(attempts: readonly SimulatedAttempt[]): Omit<Month, 'month'> {
  const outcomes = { paid: 0, declined: 0, rejected: 0, unknown: 0, waived: 0, held: 0 };
  const collected: Record<string, number> = {};
  for (const attempt of attempts) {
    const { outcome, currency, amount } = lineOf(attempt);
    outcomes[outcome] += 1;
    if (outcome === 'paid') collected[currency] = (collected[currency] ?? 0) + amount;
  }
  return {
    invoices: attempts.filter(({ number }) => number === null || number === 1).length,
    attempts: attempts.filter(({ number }) => number !== null).length,
    outcomes,
    collected,
  };
}

function byName(steps: Simulation['steps']): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { name } of steps) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function monthOf({ attemptDueAt, dueAt }: SimulatedAttempt, timezone: string): string {
  return DateTime.fromJSDate(attemptDueAt ?? dueAt, { zone: timezone }).toFormat('yyyy-LL');
}
