import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { environmentForHooks } from '../config/hook-environment.ts';
import type { Report } from '../events.ts';
import { HookThreads } from '../hooks/hook-threads.ts';
import { ownModule } from '../own-files.ts';

/**
 * Threads for the functions of this configuration file, as many as there are cores, begun when the first is called. On
 * the host's own clock always: the merchant's code runs in no other.
 */
export function hookThreads({ configFile, report }: { configFile: string; report: Report }): HookThreads {
  return new HookThreads({
    start: () => startThread(configFile),
    threads: availableParallelism(),
    clock: systemClock,
    report,
  });
}

function startThread(configFile: string): Worker {
  const options = {
    env: environmentForHooks(),
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  };
  if (ENTRY.endsWith('.js')) return new Worker(ENTRY, { ...options, workerData: { configFile } });
  // As in a test, not built: Node 20 reads no TypeScript by itself.
  const jiti = createRequire(import.meta.url).resolve('jiti');
  const load =
    'const { workerData: d } = require("node:worker_threads"); require(d.jiti).createJiti(d.entry).import(d.entry);';
  return new Worker(load, { ...options, eval: true, workerData: { configFile, jiti, entry: ENTRY } });
}

const ENTRY = ownModule('app/hook-thread');
