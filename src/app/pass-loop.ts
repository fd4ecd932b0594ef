import { type Clock, pause } from '../clock.ts';
import { asError, type Report } from '../events.ts';

type Passes = {
  /** What it is about, in reports. */
  readonly where: string;
  readonly pass: (signal: AbortSignal) => Promise<unknown>;
  readonly clock: Clock;
  readonly report: Report;
};

/** Makes a pass every second until it is closed; what is in hand is finished. A pass that fails is made again. */
export function startPassLoop(passes: Passes): { close(): Promise<void> } {
  const stopping = new AbortController();
  const running = repeat(passes, stopping.signal);
  return {
    close: async () => {
      stopping.abort();
      await running;
    },
  };
}

async function repeat({ where, pass, clock, report }: Passes, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await pass(signal);
      await pause(clock, PASS_MS, signal);
    } catch (error) {
      report({ kind: 'work.failed', where, error: asError(error) });
      await pause(clock, RECOVER_MS, signal); // the database is away
    }
  }
}

const PASS_MS = 1_000;
const RECOVER_MS = 2_000;
