import type { Clock } from '../clock.ts';
import type { Report } from '../events.ts';

/** Tells of a queue's connection that is down, which fails many times a second: each failure, by its words, once a minute. */
export function failedConnections(report: Report, clock: Clock): (error: Error) => void {
  const toldMs = new Map<string, number>();
  return (error) => {
    const nowMs = clock.monotonicMs();
    for (const [message, atMs] of toldMs) if (nowMs - atMs >= TOLD_EVERY_MS) toldMs.delete(message);
    if (toldMs.has(error.message)) return;
    toldMs.set(error.message, nowMs);
    report({ kind: 'connection.failed', where: 'queue', error });
  };
}

const TOLD_EVERY_MS = 60_000;
