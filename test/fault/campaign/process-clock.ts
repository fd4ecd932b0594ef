import { closeSync, openSync, writeSync } from 'node:fs';

/** How a clock runs: it shows `base` at the host's `origin` (ms since 1970) and from there `rate` ms for each ms. */
export type Pace = { readonly base: number; readonly origin: number; readonly rate: number };

/** Has the processes that follow `file` go by this pace from now on. */
export function setPace(file: string, { base, origin, rate }: Pace): void {
  const handle = openSync(file, 'a+');
  closeSync(handle);
  const written = openSync(file, 'r+');
  writeSync(written, Buffer.from(new Float64Array([base, origin, rate]).buffer), 0, 24, 0);
  closeSync(written);
}

/**
 * The value of NODE_OPTIONS with which a process's monotonic clock follows `file`: what it counts by itself, the age of
 * its token above all, must pass as the database's and the gateway's time does. Timers go by the wall clock.
 */
export function followingPace(file: string): string {
  const code = `
    import { openSync, readSync } from 'node:fs';
    const file = openSync(${JSON.stringify(file)}, 'r');
    const numbers = new Float64Array(3);
    const bytes = new Uint8Array(numbers.buffer);
    const real = performance.now.bind(performance);
    const shown = () => {
      readSync(file, bytes, 0, 24, 0);
      const [base, origin, rate] = numbers;
      return base + (performance.timeOrigin + real() - origin) * rate;
    };
    const start = shown();
    performance.now = () => shown() - start;`;
  return `--import data:text/javascript,${encodeURIComponent(code)}`;
}
