import { stderr } from 'node:process';
import { type App, openApp, openSurroundings } from '../app.ts';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { type ResolveOptions, resolveConfig } from '../config/resolve.ts';
import type { Report } from '../events.ts';
import { createLogger, reportTo } from '../log.ts';

/** What every command is given. Results go to stdout by `print`, everything else to stderr. */
export type Context = {
  /** Writes a line to stdout. */
  print(text: string): void;
  /** Aborted when the process is told to stop. */
  readonly stopped: AbortSignal;
  /** From now on a stop may take so long, in ms, before the process is ended. */
  mayTakeToStop(ms: number): void;
};

/** A command's configuration and reporting. Throws ConfigError. */
export async function prepare(options: ResolveOptions = {}): Promise<{ config: Config; report: Report }> {
  const config = await resolveConfig(options);
  return { config, report: reportTo(createLogger(config.logLevel, stderr.isTTY === true)) };
}

/** Opens the app beside whatever runs already, hands it to `work`, and closes it whatever happens. */
export async function withApp<Result>(who: string, work: (app: App) => Promise<Result>): Promise<Result> {
  const { config, report } = await prepare();
  const app = await openApp({ config, report, clock: systemClock, who, claim: 'share' });
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}

/** The database as it is, handed to `work` beside whatever runs already. */
export async function withDatabaseUrl<Result>(work: (url: string, config: Config) => Promise<Result>): Promise<Result> {
  const { config, report } = await prepare();
  const surroundings = await openSurroundings({ config, report, clock: systemClock, who: 'maedal', claim: 'share' });
  try {
    return await work(surroundings.databaseUrl, config);
  } finally {
    await surroundings.close();
  }
}

/** Resolves when the process is told to stop. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** One JSON value on a line, or the text for people. */
export function printResult(context: Context, asJson: boolean, value: unknown, text: () => string): void {
  context.print(asJson ? JSON.stringify(value) : text());
}
