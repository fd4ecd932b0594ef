import { stderr } from 'node:process';
import type { Config } from '../config/config.ts';
import type { Report } from '../events.ts';
import { createLogger, reportTo } from '../log.ts';

/** Logs what goes wrong with a simulation itself. What becomes of its charges is its result, and no news. */
export function fewReports({ logLevel }: Config): Report {
  const tell = reportTo(createLogger(logLevel, stderr.isTTY === true));
  return (event) => {
    if (TOLD.has(event.kind)) tell(event);
  };
}

const TOLD: ReadonlySet<string> = new Set(['work.failed', 'subscription.broken', 'sending.stopped', 'embedded.failed']);
