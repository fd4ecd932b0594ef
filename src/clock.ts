/**
 * Time as a flow may know it: this host's clock and timers, passed in, so that tests and simulations own them.
 * It decides nothing about money: due dates, leases and ages come from the database's `maedal_now()`.
 */
export interface Clock {
  /** Milliseconds since 1970 by this host. For logs, token ages and pages only. */
  nowMs(): number;
  /** Milliseconds that only ever rise, untouched by changes of the host's clock. */
  monotonicMs(): number;
  /** Calls back once after `ms`; the function returned takes it back. */
  after(ms: number, callback: () => void): () => void;
}

/** The host's own clock. A pending timer keeps the process alive: take back what is no longer wanted. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms` by this clock, or at once when the signal is aborted. Never rejects. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    let cancel = () => {};
    const done = () => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    signal?.addEventListener('abort', done, { once: true });
    cancel = clock.after(ms, done);
  });
}

/** Resolves when everything that is ready to run has run. No clock moves meanwhile. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
