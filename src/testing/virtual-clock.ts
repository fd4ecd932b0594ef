import type { Clock } from '../clock.ts';
import { VirtualClock } from '../simulate/virtual-clock.ts';

/** Time that stands still until a test moves it, for `startSandbox` and for the time limit of a hook. */
export type TestClock = Clock & {
  /** ISO 8601 in UTC, for `now` of a context. */
  now(): string;
  /** Moves on by so many milliseconds; what falls due meanwhile happens, in its order, each at its own instant. */
  advance(ms: number): void;
};

/** A clock that begins at this instant, ISO 8601 with its offset. Throws RangeError where it is none. */
export function virtualClock(start = '2027-01-31T10:00:00+09:00'): TestClock {
  const startMs = /(?:Z|[+-]\d\d:\d\d)$/.test(start) ? Date.parse(start) : Number.NaN;
  if (Number.isNaN(startMs)) throw new RangeError(`'${start}' is not an instant such as 2027-01-31T10:00:00+09:00`);
  const clock = new VirtualClock(startMs);
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    after: (ms, callback) => clock.after(ms, callback),
    now: () => new Date(clock.nowMs()).toISOString(),
    advance: (ms) => {
      const toMs = clock.nowMs() + ms;
      while (clock.nextMs() <= toMs) {
        clock.moveTo(Math.max(clock.nextMs(), clock.nowMs()));
        clock.fireOne();
      }
      clock.moveTo(toMs);
    },
  };
}
