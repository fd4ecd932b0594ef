import { FAULT_CLASSES } from './faults/classes.ts';
import type { ClassName, Plan } from './options.ts';

/** A stretch of a run: these classes strike while these subscriptions fall due. */
export type Phase = {
  readonly name: string;
  readonly classes: readonly ClassName[];
  /** Numbers of subscriptions, the last one not included. */
  readonly from: number;
  readonly until: number;
  /** How long it lasts at least, however quickly everything is charged. */
  readonly atLeastMs: number;
  readonly atMostMs: number;
  /** Least and most from one blow to the next. */
  readonly everyMs: readonly [number, number];
};

/**
 * Every class alone, with a quarter of the charges between them; then all together, in batches. Each lasts for a while, or a
 * fast machine would have charged everything before it met with much.
 */
export function phasesOf(plan: Plan): Phase[] {
  const { charges, classes } = plan;
  const phases: Phase[] = [];
  let from = 0;
  const add = (count: number, phase: Omit<Phase, 'from' | 'until'>) => {
    phases.push({ ...phase, from, until: from + count });
    from += count;
  };
  const [only] = classes;
  const alone = classes.length === 1 ? 0 : Math.floor(charges / 4 / classes.length);
  const atLeastMs = Math.min(25_000, 2_500 + alone * 50);
  for (const name of alone > 0 ? classes : []) {
    const { everyMs } = FAULT_CLASSES[name];
    add(alone, { name: `${name} alone`, classes: [name], atLeastMs, atMostMs: atLeastMs * 2, everyMs });
  }
  const everyMs = classes.length === 1 && only !== undefined ? FAULT_CLASSES[only].everyMs : together(plan);
  const most = Math.min(2_000, Math.max(250, Math.ceil(charges / 8)));
  for (let batches = Math.max(1, Math.round((charges - from) / most)); batches > 0; batches -= 1) {
    const count = Math.ceil((charges - from) / batches);
    const lastsMs = Math.min(60_000, Math.max(12_000, count * 100));
    add(count, { name: 'all together', classes, atLeastMs: lastsMs, atMostMs: 90_000, everyMs });
  }
  return phases;
}

/** A small run meets as much as it can in a minute; a large one has time, and most of what it starts should get far. */
export function isSmall({ charges }: Pick<Plan, 'charges'>): boolean {
  return charges < 1_000;
}

function together(plan: Plan): readonly [number, number] {
  return isSmall(plan) ? [300, 900] : [900, 2_400];
}
