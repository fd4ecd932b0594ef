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
};

/** Every class alone, with a third of the charges between them; then all together, in batches. */
export function phasesOf({ charges, classes }: Plan): Phase[] {
  const phases: Phase[] = [];
  let from = 0;
  const add = (name: string, some: readonly ClassName[], count: number, [atLeastMs, atMostMs]: [number, number]) => {
    phases.push({ name, classes: some, from, until: from + count, atLeastMs, atMostMs });
    from += count;
  };
  const alone = classes.length === 1 ? 0 : Math.floor(charges / 4 / classes.length);
  const aloneMs = Math.min(25_000, 2_500 + alone * 50);
  if (alone > 0) for (const name of classes) add(`${name} alone`, [name], alone, [aloneMs, aloneMs * 2]);
  const batch = Math.min(2_000, Math.max(250, Math.ceil(charges / 8)));
  while (from < charges) add('all together', classes, Math.min(batch, charges - from), [12_000, 120_000]);
  return phases;
}
