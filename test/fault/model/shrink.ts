import { FAULTS, type Fault, planOf, WHOLE, type Without } from './plan.ts';
import { runWorld } from './world.ts';

/** Other schedules tried before a fault class is held to be needed. */
const LUCKS = 60;

/** What a failing seed does not need for its failure: fault classes, then actors; any schedule that still fails will do. */
export async function shrink(seed: number, rule: string): Promise<Without> {
  const failing = (less: Without) => failingOf(seed, less, rule);
  let without = WHOLE;
  without = (await failing({ ...without, actors: 'one of each' })) ?? without;
  for (const fault of FAULTS.filter((one) => planOf(seed).faults.has(one))) {
    const less: Without = { ...without, faults: new Set<Fault>([...without.faults, fault]) };
    without = (await failing(less)) ?? without;
  }
  return without;
}

/** The first of some schedules that breaks the rule in this smaller world, or null. */
async function failingOf(seed: number, less: Without, rule: string): Promise<Without | null> {
  for (let turn = 0; turn < LUCKS; turn += 1) {
    const tried: Without = turn === 0 ? less : { ...less, luck: seed + turn * 1_000_003 };
    const { oracle } = await runWorld(planOf(seed, tried));
    if (oracle.violations.some((violation) => violation.rule === rule)) return tried;
  }
  return null;
}
