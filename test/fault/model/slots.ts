import type { Ring } from '../../../src/store/due.ts';
import type { Faults } from './faults.ts';
import type { Plan } from './plan.ts';
import type { Actor } from './stage.ts';

/** A place where a process runs: one unit of work after another, and after its death the next process. */
export type Slot = {
  readonly kind: 'worker' | 'scheduler';
  readonly name: string;
  /** How much its host's wall clock is off. */
  readonly skewMs: number;
  actor: Actor | null;
  freeAtMs: number;
  /** The job in hand: a queue may give it again when its worker dies. */
  ring: Ring | null;
  /** Passes one after another that changed nothing: it looks ever less often whether captures can be accounted for. */
  idlePasses: number;
  passedAtMs: number;
};

/** The processes of a plan. */
export function slotsOf({ workers, schedulers }: Plan, faults: Faults, nowMs: number): readonly Slot[] {
  const slot = (kind: Slot['kind'], index: number): Slot => ({
    kind,
    name: `${kind} ${index + 1}`,
    skewMs: faults.skewMs(),
    actor: null,
    freeAtMs: nowMs,
    ring: null,
    idlePasses: 0,
    passedAtMs: Number.NEGATIVE_INFINITY,
  });
  return [
    ...Array.from({ length: workers }, (_, index) => slot('worker', index)),
    ...Array.from({ length: schedulers }, (_, index) => slot('scheduler', index)),
  ];
}

/** When an idle scheduler looks again: at once for what is due, less and less often for captures that have to wait. */
export function wakeAtMs({ idlePasses, passedAtMs }: Slot, dueAtMs: number, accountAtMs: number): number {
  const waitMs = Math.min(LONGEST_WAIT_MS, 1_000 * 2 ** idlePasses);
  return Math.min(dueAtMs, Math.max(accountAtMs, passedAtMs + waitMs));
}

const LONGEST_WAIT_MS = 43_200_000;
