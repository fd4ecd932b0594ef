import { join } from 'node:path';
import { type CallHook, hookCaller } from './app/hook-caller.ts';
import { hmacOf, identityOf } from './app/identity.ts';
import { InputError } from './billing/errors.ts';
import { type Hmac, installationPrefix } from './billing/ids.ts';
import { type Clock, pause } from './clock.ts';
import type { Config } from './config/config.ts';
import { ConfigError } from './config/config-error.ts';
import { claimDirectory, DataDirBusyError } from './embedded/ownership.ts';
import { findEmbeddedPostgres, startEmbeddedPostgres } from './embedded/postgres.ts';
import { asError, type Report } from './events.ts';
import { type Failpoints, noFailpoints, parseFailpoints } from './failpoints.ts';
import type { Gateway } from './gateway/gateway.ts';
import { createPortOne } from './gateway/portone/client.ts';
import { databaseIsAway } from './store/away.ts';
import { type Db, openDb } from './store/db.ts';
import type { Identity } from './store/fence.ts';
import { markDatabase } from './store/fingerprint.ts';
import { migrate, pending } from './store/migrate.ts';
import { keepPolicyVersion } from './store/policy-versions.ts';

/** What every command stands on. `close` lets go of it all in reverse order; one failing part does not skip the next. */
export type App = {
  readonly config: Config;
  readonly clock: Clock;
  readonly report: Report;
  readonly databaseUrl: string;
  readonly db: Db;
  readonly gateway: Gateway;
  readonly hmac: Hmac;
  readonly installation: string;
  readonly identity: Identity;
  readonly failpoints: Failpoints;
  /** Calls the merchant's code ahead of charges. */
  readonly callHook: CallHook;
  /** Adds something to be closed before everything that is open already. */
  onClose(close: () => Promise<unknown>): void;
  close(): Promise<void>;
};

export type AppOptions = {
  readonly config: Config;
  readonly clock: Clock;
  readonly report: Report;
  /** In the history of every row: `maedal/…`. */
  readonly who: string;
  /** `own`: a second one on the same data is refused. `share`: works beside one that runs already. */
  readonly claim: 'own' | 'share';
  /** Whether to wait for a database that is away until it comes back, or the signal is aborted. */
  readonly patient?: AbortSignal | undefined;
  /** Where the sandbox inside sends its webhooks; left out, nowhere. */
  readonly webhooksTo?: string;
  /** Whether nothing of the database has to outlive a crash (`DbOptions`). */
  readonly throwAway?: boolean;
};

/**
 * Opens database, sandbox (where none is configured) and gateway, and brings the database to this version. Throws
 * ConfigError, DataDirBusyError (`own`), StoppedWaiting (`patient`), or an error with `code` EADDRINUSE when the
 * sandbox's port is taken.
 */
export async function openApp(options: AppOptions): Promise<App> {
  const { config, clock, report } = options;
  const closing = closers(report);
  try {
    const databaseUrl = await openDatabase(options, closing);
    await prepareDatabase(options, databaseUrl);
    await openSandbox(options, closing);
    const { who, throwAway = false } = options;
    const db = openDb({ url: databaseUrl, who, throwAway });
    closing.push(() => db.$disconnect());
    for (const { version, dunning } of Object.values(config.policies)) await keepPolicyVersion(db, version, dunning);
    const { baseUrl, key, secret } = config.gateway;
    const gateway = createPortOne({
      baseUrl,
      key: key.reveal(),
      secret: secret.reveal(),
      clock,
      connections: CONNECTIONS,
      declines: config.declines,
      noticeUrl: config.webhooks.noticeUrl,
    });
    closing.push(() => gateway.close());
    const hmac = hmacOf(config);
    const failpoints = failpointsOf(options);
    const identity = await identityOf(config, db);
    if (config.mode === 'test') await markDatabase(db, identity.fingerprint);
    const installation = installationPrefix(hmac);
    const hooks = hookCaller(config, report);
    closing.push(() => hooks.close());
    const { call: callHook } = hooks;
    const app = { config, clock, report, databaseUrl, db, gateway, hmac, installation, identity, failpoints, callHook };
    return { ...app, onClose: (close) => void closing.push(close), close: closing.close };
  } catch (error) {
    await closing.close();
    throw error;
  }
}

/** Database and sandbox as they are, for commands that look or prepare: nothing is migrated or checked. */
export async function openSurroundings(
  options: AppOptions,
): Promise<{ readonly databaseUrl: string; close(): Promise<void> }> {
  const closing = closers(options.report);
  try {
    const databaseUrl = await openDatabase(options, closing);
    await openSandbox(options, closing);
    return { databaseUrl, close: closing.close };
  } catch (error) {
    await closing.close();
    throw error;
  }
}

function failpointsOf({ config, clock, report }: AppOptions): Failpoints {
  if (config.failpoints === null) return noFailpoints;
  const { text, seed } = config.failpoints;
  return parseFailpoints(text, { seed, clock, fired: (name) => report({ kind: 'failpoint.fired', name }) });
}

/** The database's URL, once it answers; the embedded one is started, or found running. */
async function openDatabase({ config, claim, clock, report, patient }: AppOptions, closing: Closers): Promise<string> {
  if (config.database.kind === 'url') {
    const url = config.database.url.reveal();
    await answering(url, { clock, report, patient });
    return url;
  }
  const { dataDir } = config.database;
  const owned = await claimDirectory(dataDir).catch(async (error: unknown) => {
    const running = claim === 'share' && error instanceof DataDirBusyError ? await findEmbeddedPostgres(dataDir) : null;
    if (running === null) throw error; // or its owner is just starting or stopping
    return running;
  });
  if (typeof owned === 'string') return owned;
  closing.push(() => owned.release());
  const say = (text: string) => report({ kind: 'embedded.says', text });
  const alarm = (text: string) => report({ kind: 'embedded.failed', text });
  const postgres = await startEmbeddedPostgres({ dataDir, clock, report: say, alarm });
  closing.push(() => postgres.stop());
  return postgres.url;
}

/** Told to stop while it waited for something that is away: nothing was begun. */
export class StoppedWaiting extends Error {
  override readonly name = 'StoppedWaiting';
}

type Asking = Pick<AppOptions, 'clock' | 'report' | 'patient'>;

/** Resolves when the database answers. Without patience it asks for half a minute. Throws StoppedWaiting. */
async function answering(url: string, { clock, report, patient }: Asking): Promise<void> {
  for (let asked = 1; ; asked += 1) {
    try {
      await pending(url);
      return;
    } catch (error) {
      if (!databaseIsAway(error) || (patient === undefined && asked >= IMPATIENT_ASKS)) throw error;
      if (patient?.aborted === true) throw new StoppedWaiting('the database is away', { cause: error });
      if (asked % SAY_EVERY === 1) report({ kind: 'waiting', what: 'the database', error: asError(error) });
      await pause(clock, ASK_AGAIN_MS, patient);
    }
  }
}

/** Brings the database to this version. In `live` nobody does so in passing: the merchant runs `maedal migrate`. */
async function prepareDatabase({ config }: AppOptions, url: string): Promise<void> {
  const missing = await pending(url);
  if (config.mode === 'live') {
    if (missing.length === 0) return;
    throw new ConfigError([`the database lacks ${missing.join(', ')}; run \`maedal migrate\` first`]);
  }
  if (missing.length > 0) await migrate(url);
  if (config.queue.kind !== 'postgres') return;
  const { migratePostgresQueue } = await import('./queue/postgres.ts'); // a command that needs no queue loads none
  await migratePostgresQueue(url);
}

/** The sandbox inside this process, where no gateway is configured. */
async function openSandbox({ config, claim, clock, webhooksTo }: AppOptions, closing: Closers): Promise<void> {
  const { gateway, dataDir, sandboxPort: port } = config;
  if (!gateway.runInside) return;
  const { startSandbox } = await import('./sandbox/server.ts');
  try {
    const modes = { webhookUrl: webhooksTo ?? '' };
    const directory = join(dataDir, 'sandbox');
    const sandbox = await startSandbox({ host: '127.0.0.1', port, directory, clock, modes });
    closing.push(() => sandbox.close());
  } catch (error) {
    const runsAlready = error instanceof InputError || portIsTaken(error);
    if (claim === 'own' || !runsAlready) throw named(error, 'MAEDAL_SANDBOX_PORT', port);
  }
}

/** Names the setting of a port that is taken. Anything else stays as it is. */
export function named(error: unknown, variable: string, port: number): unknown {
  if (!portIsTaken(error)) return error;
  return new ConfigError([
    `${variable}: port ${port} is taken; stop what listens there, or set ${variable} to another port`,
  ]);
}

function portIsTaken(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EADDRINUSE';
}

type Closers = { push(close: () => Promise<unknown>): void; close(): Promise<void> };

function closers(report: Report): Closers {
  const open: (() => Promise<unknown>)[] = [];
  return {
    push: (close) => void open.push(close),
    close: async () => {
      for (let close = open.pop(); close !== undefined; close = open.pop()) {
        await close().catch((error: unknown) => report({ kind: 'work.failed', where: 'close', error: asError(error) }));
      }
    },
  };
}

/** To the gateway, of which a charge that waits for one might run out of time: 200 charges may be in flight, and look-ups beside. */
const CONNECTIONS = 250;
const ASK_AGAIN_MS = 1_000;
const IMPATIENT_ASKS = 30;
const SAY_EVERY = 10;
