import { pause } from '../clock.ts';
import { asError } from '../events.ts';
import { followHints, type InboundDeps } from './follow-hints.ts';

/** Follows hints every second until it is closed; what is in hand is finished. A pass that fails is made again. */
export function startHintLoop(deps: InboundDeps): { close(): Promise<void> } {
  const stopping = new AbortController();
  const running = repeat(deps, stopping.signal);
  return {
    close: async () => {
      stopping.abort();
      await running;
    },
  };
}

async function repeat(deps: InboundDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await followHints(deps, signal);
      await pause(deps.clock, PASS_MS, signal);
    } catch (error) {
      deps.report({ kind: 'work.failed', where: 'hints', error: asError(error) });
      await pause(deps.clock, RECOVER_MS, signal); // the database is away
    }
  }
}

const PASS_MS = 1_000;
const RECOVER_MS = 2_000;
