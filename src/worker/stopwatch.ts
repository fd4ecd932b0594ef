import type { Clock } from '../clock.ts';

/** Milliseconds since now, by whichever of the host's clocks says more: one stops while the machine sleeps. */
export function stopwatch(clock: Clock): () => number {
  const [wall, monotonic] = [clock.nowMs(), clock.monotonicMs()];
  return () => Math.max(clock.nowMs() - wall, clock.monotonicMs() - monotonic);
}

/** Between asking for an intent and the call it allows: longer, and somebody else may be looking already. */
export const GUARD_MS = 5_000;

/** Why nothing was sent where it took longer. */
export const STOOD_STILL = 'this process stood still for too long right before the call, and did not make it';
