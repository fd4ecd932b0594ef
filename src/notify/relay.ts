import { pause } from '../clock.ts';
import { asError } from '../events.ts';
import { deliverDue } from './deliver.ts';
import type { NotifyDeps } from './deps.ts';

/** Events taken up in one statement. */
const BATCH = 200;
const PASS_MS = 1_000;
const TIDY_MS = 60_000;
const RECOVER_MS = 2_000;

/**
 * Takes events up, delivers them, and forgets old ones, until it is closed. Each listener has a loop of its own: one that hangs holds up
 * nobody else, and a charge never waits for any. Closing ends the tries in hand; they are made again under the same id.
 */
export function startRelay(deps: NotifyDeps): { close(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const loops = [
    repeat(deps, signal, () => takeUp(deps)),
    repeat(deps, signal, () => tidyUp(deps), TIDY_MS),
    ...deps.listeners.map((listener) => repeat(deps, signal, () => deliverDue(deps, listener, signal))),
  ];
  return {
    close: async () => {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}

/** Takes up and delivers what is due now, until nothing is left that is due, or the signal is aborted. */
export async function relayDue(deps: NotifyDeps, signal?: AbortSignal): Promise<void> {
  while (signal?.aborted !== true && (await takeUp(deps)) === BATCH);
  await Promise.all(deps.listeners.map((listener) => drain(deps, listener, signal)));
  while (signal?.aborted !== true && (await tidyUp(deps)) > 0);
}

async function drain(
  deps: NotifyDeps,
  listener: NotifyDeps['listeners'][number],
  signal: AbortSignal | undefined,
): Promise<void> {
  while (signal?.aborted !== true && (await deliverDue(deps, listener, signal)) > 0);
}

/** Returns how many events were taken up; without a listener they are numbered all the same. */
async function takeUp({ store, listeners, fingerprint, failpoints }: NotifyDeps): Promise<number> {
  const told = listeners.map(({ name, types, address }) => ({ name, types, address }));
  const taken = await store.takeUpEvents(told, { limit: BATCH, fingerprint });
  if (taken > 0) await failpoints.at('events.taken_up');
  return taken;
}

/** Ends what waits for nobody, and forgets what is old. Returns how much that was. */
async function tidyUp({ store, listeners, fingerprint }: NotifyDeps): Promise<number> {
  const names = listeners.map(({ name }) => name);
  const ended = await store.giveUpOrphans(names, { limit: BATCH, fingerprint });
  return ended + (await store.forgetEvents({ limit: BATCH, fingerprint }));
}

/** At once while there is something to do, then after a while. A pass that fails is made again. */
async function repeat(
  { clock, report }: NotifyDeps,
  signal: AbortSignal,
  pass: () => Promise<number>,
  waitMs = PASS_MS,
): Promise<void> {
  while (!signal.aborted) {
    try {
      if ((await pass()) === 0) await pause(clock, waitMs, signal);
    } catch (error) {
      report({ kind: 'work.failed', where: 'relay', error: asError(error) });
      await pause(clock, RECOVER_MS, signal); // the database is away
    }
  }
}
