import { GUARD_SECONDS } from '../billing/absence.ts';
import type { Clock } from '../clock.ts';

/** Milliseconds since now, by whichever of the host's clocks says more: one stops while the machine sleeps. */
function stopwatch(clock: Clock): () => number {
  const [wall, monotonic] = [clock.nowMs(), clock.monotonicMs()];
  return () => Math.max(clock.nowMs() - wall, clock.monotonicMs() - monotonic);
}

/** A guard over the intent that is about to be asked for: whether the call that it allows may still begin. */
export function startGuard(clock: Clock): () => boolean {
  const elapsedMs = stopwatch(clock);
  return () => elapsedMs() <= GUARD_SECONDS * 1_000;
}

/** Why nothing was sent where it took longer. */
export const STOOD_STILL = 'this process stood still for too long right before the call, and did not make it';
