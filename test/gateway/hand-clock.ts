import type { Clock } from '../../src/clock.ts';

/** A clock that moves by hand. */
export type HandClock = Clock & { advance(ms: number): void };

/** Starts at 2027-01-31T01:00:00Z; timers fire while `advance` passes them. */
export function handClock(): HandClock {
  const startMs = Date.UTC(2027, 0, 31, 1);
  const timers = new Map<object, { readonly atMs: number; readonly callback: () => void }>();
  let passedMs = 0;
  return {
    nowMs: () => startMs + passedMs,
    monotonicMs: () => passedMs,
    after: (ms, callback) => {
      const timer = {};
      timers.set(timer, { atMs: passedMs + ms, callback });
      return () => {
        timers.delete(timer);
      };
    },
    advance: (ms) => {
      passedMs += ms;
      for (const [timer, { atMs, callback }] of timers) {
        if (atMs <= passedMs && timers.delete(timer)) callback();
      }
    },
  };
}
