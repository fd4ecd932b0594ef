import { rm, writeFile } from 'node:fs/promises';
import { type Clock, pause } from '../clock.ts';
import { asError, type Report } from '../events.ts';

type HealthFileDeps = {
  /** Null: nothing is kept. */
  readonly file: string | null;
  readonly clock: Clock;
  readonly report: Report;
  /** Whether this process can do its work just now. */
  readonly isHealthy: () => Promise<boolean>;
};

/**
 * For health checks of processes that serve no HTTP: writes a file every 15 s while this process can work, and removes it
 * when it cannot; the first time before it resolves. So an absent file, or one older than a minute, is a process that is stuck, ill or gone.
 */
export async function keepHealthFile(deps: HealthFileDeps): Promise<{ close(): Promise<void> }> {
  const { file, clock } = deps;
  if (file === null) return { close: async () => undefined };
  const leaving = new AbortController();
  await beat(file, deps);
  const keep = async () => {
    for (;;) {
      await pause(clock, BEAT_MS, leaving.signal);
      if (leaving.signal.aborted) return;
      await beat(file, deps);
    }
  };
  const keeping = keep();
  return {
    close: async () => {
      leaving.abort();
      await keeping;
      await rm(file, { force: true });
    },
  };
}

async function beat(file: string, { report, isHealthy }: HealthFileDeps): Promise<void> {
  try {
    if (await isHealthy()) await writeFile(file, `${process.pid}\n`);
    else await rm(file, { force: true });
  } catch (error) {
    report({ kind: 'work.failed', where: 'health file', error: asError(error) });
  }
}

const BEAT_MS = 15_000;
