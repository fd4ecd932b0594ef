import { parentPort, workerData } from 'node:worker_threads';
import { loadConfigFile } from '../config/load-config.ts';
import { serveHooks } from '../hooks/thread.ts';

/** What a thread of hooks runs: the configuration file, loaded for itself. */
if (parentPort !== null) {
  const { configFile }: { readonly configFile: string } = workerData;
  await serveHooks(parentPort, () => loadConfigFile(configFile, 'thread'));
}
