import { type App, StoppedWaiting } from '../app.ts';
import { type Clock, pause } from '../clock.ts';
import { asError, type Report } from '../events.ts';
import type { ChargeQueue } from '../queue/charge-queue.ts';
import { openPostgresQueue } from '../queue/postgres.ts';
import { openRedisQueue } from '../queue/redis.ts';

/** Opens the queue that is configured; a Redis that is away is waited for until `stopped`. Throws StoppedWaiting. */
export async function openQueue(app: App, stopped: AbortSignal): Promise<ChargeQueue> {
  const { config, report, installation, databaseUrl } = app;
  const onError = throttled(report, app.clock);
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

/** A connection that is down fails many times a second; one line a minute for each kind of failure is enough. */
function throttled(report: Report, clock: Clock): (error: Error) => void {
  let last = { message: '', atMs: 0 };
  return (error) => {
    const atMs = clock.monotonicMs();
    if (error.message === last.message && atMs - last.atMs < TOLD_EVERY_MS) return;
    last = { message: error.message, atMs };
    report({ kind: 'connection.failed', where: 'queue', error });
  };
}

const ASK_AGAIN_MS = 1_000;
const TOLD_EVERY_MS = 60_000;
