import { rm } from 'node:fs/promises';
import pg from 'pg';
import { type Clock, pause } from '../clock.ts';
import { asError } from '../events.ts';
import { DATABASE, prepareCluster, readPassword } from './cluster.ts';
import { clusterIn, findPlace, MACHINE_DIR, notedHome, openDataDir, type Place } from './place.ts';
import { held, isAlive } from './processes.ts';
import { findPrograms, packageRoot } from './programs.ts';
import { type Answers, awaitAnswer, launch, livingServer, type Server, stopServer } from './server.ts';

/** A PostgreSQL of our own on this machine. */
export type EmbeddedPostgres = {
  /** `postgres://maedal:…@127.0.0.1:port/maedal`; holds the password, so it is not for a log. */
  readonly url: string;
  /** It was running already, left over by a maedal that was killed. */
  readonly adopted: boolean;
  /** Stops the server and waits until it has ended; what is open is rolled back. Twice is fine. */
  stop(): Promise<void>;
};

/** `dataDir` is created where it is missing. `durable: false` trades safety for speed: tests and simulations only. */
export type EmbeddedOptions = {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly report?: (line: string) => void;
  /** Told that a server ended, or cannot be started again; default: `report`. */
  readonly alarm?: (line: string) => void;
  readonly durable?: boolean;
};

/**
 * Starts the PostgreSQL of a data directory, making its database first where there is none; one that still runs is
 * adopted. The server has its own session and outlives this process unless it is stopped. The caller sees to it that
 * one process at a time does this (`claimDirectory`). Throws InputError for what a person can put right, else Error.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { clock, report = () => undefined, alarm = report, durable = true } = options;
  return held(async () => {
    const place = await findPlace(await openDataDir(options.dataDir), report);
    const programs = await findPrograms(
      packageRoot(),
      place.account,
      place.account === null ? place.dataDir : MACHINE_DIR,
    );
    const password = await prepareCluster(place, programs, { clock, durable, report });
    const answers: Answers = (port) => isOurs(urlOf(port, password, 'postgres'), clusterIn(place.home));
    const begin = () => adoptOrLaunch(place, programs.postgres, { clock, durable, answers });
    const { server, adopted } = await begin();
    if (adopted) report(`PostgreSQL (pid ${server.process.pid}) was still running and goes on`);
    await ensureDatabase(urlOf(server.port, password, 'postgres'));
    const kept = keepRunning(server, begin, { clock, report, alarm });
    return { url: urlOf(server.port, password, DATABASE), adopted, stop: () => kept.stop() };
  });
}

/**
 * Starts the server again when it ends by itself: nobody else would. It comes back at its port, so its URL stays right.
 * One that cannot be started, or ends again at once, is tried less and less often.
 */
function keepRunning(
  first: Server,
  begin: () => ReturnType<typeof adoptOrLaunch>,
  { clock, report, alarm }: Required<Pick<EmbeddedOptions, 'clock' | 'report' | 'alarm'>>,
): { stop(): Promise<void> } {
  const leaving = new AbortController();
  let server = first;
  const isWell = async (): Promise<boolean> => {
    try {
      if (await isAlive(server.process)) return true;
      alarm(`PostgreSQL (pid ${server.process.pid}) ended by itself and is started again; postgres.log says why`);
      const { port } = server;
      server = (await held(begin)).server;
      if (server.port !== port) alarm(`PostgreSQL came back at port ${server.port}, not ${port}: restart maedal`);
      report(`PostgreSQL (pid ${server.process.pid}) goes on`);
    } catch (error) {
      alarm(asError(error).message);
    }
    return false;
  };
  const watch = async () => {
    for (let waitMs = WATCH_MS; ; ) {
      await pause(clock, waitMs, leaving.signal);
      if (leaving.signal.aborted) return;
      waitMs = (await isWell()) ? WATCH_MS : Math.min(2 * waitMs, LONGEST_WATCH_MS);
    }
  };
  const watching = watch();
  return {
    stop: async () => {
      leaving.abort();
      await watching;
      await held(() => stopServer(server, clock));
    },
  };
}

/** The URL of the PostgreSQL that runs for a data directory, or `null`. Starts, changes and claims nothing. */
export async function findEmbeddedPostgres(dataDir: string): Promise<string | null> {
  const password = await readPassword(dataDir);
  if (password === null) return null;
  const real = await openDataDir(dataDir);
  const cluster = clusterIn((await notedHome(real)) ?? real);
  const server = await livingServer(cluster);
  if (server === null || !(await isOurs(urlOf(server.port, password, 'postgres'), cluster))) return null;
  return urlOf(server.port, password, DATABASE);
}

/** Removes a data directory for good, together with a database that is kept outside it. The server must be stopped. */
export async function removeEmbeddedPostgres(dataDir: string): Promise<void> {
  const real = await openDataDir(dataDir);
  const home = (await notedHome(real)) ?? real;
  const server = await livingServer(clusterIn(home));
  if (server !== null) throw new Error(`PostgreSQL (pid ${server.process.pid}) is still running on ${home}`);
  for (const dir of new Set([home, real])) await rm(dir, { recursive: true, force: true });
}

async function adoptOrLaunch(place: Place, postgres: string, how: Parameters<typeof launch>[2]) {
  let failure = '';
  for (let round = 0; round < ROUNDS; round++) {
    const running = await awaitAnswer(clusterIn(place.home), how.answers, how.clock);
    if (running !== null) return { server: running, adopted: true };
    const launched = await launch(place, postgres, how);
    if (typeof launched !== 'string') return { server: launched, adopted: false };
    // It may pass: the port was taken in between, or the children of a server that was killed have not all gone yet.
    failure = launched;
    await pause(how.clock, 200 * (round + 1));
  }
  throw new Error(`PostgreSQL did not start: ${failure}`);
}

/** A server answers there, knows our password, and works on our cluster. Anything else is "not yet" or "not ours". */
async function isOurs(url: string, cluster: string): Promise<boolean> {
  try {
    return await connected(url, PROBE_MS, async (client) => {
      const { rows } = await client.query("SELECT current_setting('data_directory') AS directory");
      return rows[0]?.directory === cluster;
    });
  } catch {
    return false;
  }
}

async function ensureDatabase(url: string): Promise<void> {
  // It has answered before: whoever waits now waits for a machine with much else to do.
  await connected(url, READY_MS, async (client) => {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  });
}

async function connected<T>(url: string, withinMs: number, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, ssl: false, connectionTimeoutMillis: withinMs });
  client.on('error', () => undefined); // the query in flight rejects with the same error
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}

function urlOf(port: number, password: string, database: string): string {
  return `postgres://${DATABASE}:${password}@127.0.0.1:${port}/${database}`;
}

const ROUNDS = 5;
const PROBE_MS = 5_000;
const READY_MS = 60_000;
const WATCH_MS = 1_000;
const LONGEST_WATCH_MS = 60_000;
