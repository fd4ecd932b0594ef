import type { Violation } from './oracle.ts';
import { type Plan, planOf } from './plan.ts';
import { runWorld } from './world.ts';

/** What a run of many seeds came to. */
export type Tally = {
  seeds: number;
  steps: number;
  captures: number;
  doubles: number;
  readonly assumed: Map<Plan['assumed'], number>;
  readonly states: Map<string, number>;
  readonly refusals: Map<string, number>;
  /** Failpoints at which something happened. */
  readonly failpoints: Set<string>;
  readonly failures: { readonly seed: number; readonly violation: Violation }[];
};

/** Nothing counted yet. */
export function emptyTally(): Tally {
  const [assumed, states, refusals] = [new Map(), new Map(), new Map()];
  const counts = { seeds: 0, steps: 0, captures: 0, doubles: 0 };
  return { ...counts, assumed, states, refusals, failpoints: new Set(), failures: [] };
}

/** Runs one seed's world and adds it up. */
export async function addSeed(tally: Tally, seed: number): Promise<void> {
  const plan = planOf(seed);
  const { oracle, tables, turns, faults, steps } = await runWorld(plan);
  tally.seeds += 1;
  tally.steps += steps;
  count(tally.assumed, plan.assumed);
  for (const owner of oracle.owners) {
    const captures = oracle.capturesOf(owner).length;
    tally.captures += captures;
    tally.doubles += captures > 1 ? 1 : 0;
  }
  for (const { state, reason } of tables.invoices.all())
    count(tally.states, state === 'paid' ? state : `${state}: ${reason?.replaceAll(/\d+/g, 'n')}`);
  for (const name of faults.fired.keys()) tally.failpoints.add(name);
  for (const [rule, times] of turns.refusals) count(tally.refusals, rule, times);
  const [violation] = oracle.violations;
  if (violation !== undefined) tally.failures.push({ seed, violation });
}

/** Adds what other seeds came to. */
export function addTally(tally: Tally, other: Tally): void {
  tally.seeds += other.seeds;
  tally.steps += other.steps;
  tally.captures += other.captures;
  tally.doubles += other.doubles;
  for (const [assumed, times] of other.assumed) count(tally.assumed, assumed, times);
  for (const [state, times] of other.states) count(tally.states, state, times);
  for (const [rule, times] of other.refusals) count(tally.refusals, rule, times);
  for (const name of other.failpoints) tally.failpoints.add(name);
  tally.failures.push(...other.failures);
}

function count<Key>(counts: Map<Key, number>, key: Key, times = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + times);
}
