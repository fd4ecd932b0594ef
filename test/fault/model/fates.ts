import type { Chance } from './chance.ts';
import type { Fault, Plan } from './plan.ts';

/** What becomes of a request that reached the gateway. */
export type Fate =
  | 'pay'
  | 'decline'
  | 'capture, answer lost'
  | 'decline, answer lost'
  | 'lost on the way'
  | 'server error'
  | 'capture late'
  | 'decline late'
  | 'refuse'
  | 'flip'
  | 'pending';

const NEEDS: readonly (readonly [Fault, Fate])[] = [
  ['decline', 'decline'],
  ['decline', 'decline'],
  ['lost_answer', 'capture, answer lost'],
  ['lost_answer', 'decline, answer lost'],
  ['lost_answer', 'lost on the way'],
  ['lost_answer', 'server error'],
  ['late_capture', 'capture late'],
  ['late_capture', 'capture late'],
  ['late_capture', 'decline late'],
  ['refused', 'refuse'],
  ['flip', 'flip'],
  ['flip', 'flip'],
  ['pending', 'pending'],
];

const possible = new WeakMap<Plan, readonly Fate[]>();

/** Draws one among those that the plan's faults allow; when all is calm, payers pay or are declined. */
export function fateOf(plan: Plan, chance: Chance, isCalm: boolean): Fate {
  if (isCalm) return plan.faults.has('decline') && chance.hits(0.3) ? 'decline' : 'pay';
  const kept = possible.get(plan) ?? fatesOf(plan);
  possible.set(plan, kept);
  return chance.pick(kept);
}

function fatesOf({ faults }: Plan): readonly Fate[] {
  const troubles = NEEDS.flatMap(([fault, fate]) => (faults.has(fault) ? [fate] : []));
  return ['pay', 'pay', ...troubles];
}
