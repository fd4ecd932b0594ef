import { pause } from '../clock.ts';
import { asError } from '../events.ts';
import type { RefundDeps } from './deps.ts';
import { refundDue } from './refund.ts';

/** Works on what is due every second until it is closed; the refund in hand is finished. A pass that fails is made again. */
export function startRefundLoop(deps: RefundDeps): { close(): Promise<void> } {
  const stopping = new AbortController();
  const running = repeat(deps, stopping.signal);
  return {
    close: async () => {
      stopping.abort();
      await running;
    },
  };
}

async function repeat(deps: RefundDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await refundDue(deps, { signal });
      await pause(deps.clock, PASS_MS, signal);
    } catch (error) {
      deps.report({ kind: 'work.failed', where: 'refund', error: asError(error) });
      await pause(deps.clock, RECOVER_MS, signal); // the database is away
    }
  }
}

const PASS_MS = 1_000;
const RECOVER_MS = 2_000;
