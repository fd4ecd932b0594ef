import { type App, StoppedWaiting } from '../app.ts';
import { pause } from '../clock.ts';
import { asError } from '../events.ts';
import type { ChargeQueue } from '../queue/charge-queue.ts';
import { openPostgresQueue } from '../queue/postgres.ts';
import { openRedisQueue } from '../queue/redis.ts';
import { failedConnections } from './failed-connections.ts';

/** Opens the queue that is configured; a Redis that is away is waited for until `stopped`. Throws StoppedWaiting. */
export async function openQueue(app: App, stopped: AbortSignal): Promise<ChargeQueue> {
  const { config, report, installation, databaseUrl } = app;
  const onError = failedConnections(report, app.clock);
  for (;;) {
    try {
      if (config.queue.kind === 'postgres') return await openPostgresQueue({ url: databaseUrl, onError });
      return await openRedisQueue({ url: config.queue.url.reveal(), installation, onError });
    } catch (error) {
      if (config.queue.kind === 'postgres') throw error;
      if (stopped.aborted) throw new StoppedWaiting('Redis is away', { cause: error });
      report({ kind: 'waiting', what: 'Redis', error: asError(error) });
      await pause(app.clock, ASK_AGAIN_MS, stopped);
    }
  }
}

const ASK_AGAIN_MS = 1_000;
