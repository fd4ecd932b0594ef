#!/usr/bin/env node
import { run } from './cli/program.ts';
import { systemClock } from './clock.ts';
import { asError } from './events.ts';

/** Until the configuration is read. */
let graceMs = 95_000;
const ECHO_MS = 1_000;

const stopping = new AbortController();
const context = {
  print: (text: string) => void process.stdout.write(`${text}\n`),
  stopped: stopping.signal,
  mayTakeToStop: (ms: number) => {
    graceMs = ms;
  },
};
const complain = (text: string) => void process.stderr.write(`${text}\n`);

let toldAtMs: number | null = null;

/** The first signal asks for a clean stop; a second one ends the process at once, and what it leaves is reconciled. */
function stop(): void {
  if (toldAtMs === null) {
    toldAtMs = systemClock.monotonicMs();
    stopping.abort();
    systemClock.after(graceMs, () => process.exit(1));
    return;
  }
  // A terminal signals the whole group and npm passes the same signal on: that is one signal, told twice.
  if (systemClock.monotonicMs() - toldAtMs > ECHO_MS) process.exit(1);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);

let failed = false;
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (thrown: unknown) => {
    // A bug: say so, finish what is in hand, and let a supervisor start us afresh.
    complain(`maedal: ${asError(thrown).stack}`);
    failed = true;
    stop();
  });
}

const code = await run(process.argv.slice(2), context, complain);
process.exit(failed && code === 0 ? 1 : code);
