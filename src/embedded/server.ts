import { spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { type Clock, pause } from '../clock.ts';
import { PORT } from './cluster.ts';
import { hasCode, readText } from './files.ts';
import { clusterIn, type Place } from './place.ts';
import { CHILD_OPTIONS, commandOf, hasExited, identity, isAlive, type ProcessRef, processMark } from './processes.ts';
import { logTail, openLog } from './server-log.ts';

/** A PostgreSQL server that runs on our cluster. */
export type Server = { readonly process: ProcessRef; readonly port: number };

/** Tells whether the server at a port is up and ours. */
export type Answers = (port: number) => Promise<boolean>;

/**
 * The living server of a cluster as its `postmaster.pid` names it, or `null`. The file alone proves nothing: its owner
 * may be dead and the id another program's, so that program's command line must name the cluster.
 */
export async function livingServer(cluster: string): Promise<Server | null> {
  const [pidText, , , portText] = ((await readText(join(cluster, 'postmaster.pid'))) ?? '').split('\n');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  const mark = await processMark(pid);
  if (mark === null || !(await commandOf(pid)).includes(`-D ${cluster} `)) return null;
  return { process: { pid, mark }, port: Number(portText ?? 0) };
}

/** Waits until a server that was found answers; `null` if it ends first. Throws if it lives on in silence. */
export async function awaitAnswer(cluster: string, answers: Answers, clock: Clock): Promise<Server | null> {
  const until = clock.monotonicMs() + READY_MS;
  for (;;) {
    const server = await livingServer(cluster); // read anew: the port is written later than the id
    if (server === null) return null;
    if (server.port > 0 && (await answers(server.port))) return server;
    if (clock.monotonicMs() >= until) {
      const { pid } = server.process;
      throw new Error(`PostgreSQL (pid ${pid}) runs on ${cluster} but does not answer; stop it: \`kill -INT ${pid}\``);
    }
    await pause(clock, POLL_MS);
  }
}

/** Starts a server on a cluster that has none. Resolves to it once it answers, or to why it ended before. */
export async function launch(place: Place, postgres: string, how: Launch): Promise<Server | string> {
  const cluster = clusterIn(place.home);
  await rm(join(cluster, 'postmaster.pid'), { force: true }); // nobody's; a reused id in it would make it refuse
  const port = await choosePort(place.dataDir);
  const log = await openLog(place.dataDir);
  try {
    // Its own session: Ctrl-C reaches the whole process group, and this one must outlive the draining of the others.
    const child = spawn(postgres, ['-D', cluster, ...settings(port, how.durable)], {
      ...CHILD_OPTIONS,
      ...identity(place.account),
      detached: true,
      stdio: ['ignore', log.handle.fd, log.handle.fd],
    });
    const ended = new AbortController();
    child.once('exit', () => ended.abort());
    child.once('error', (error) => ended.abort(error));
    child.unref();
    const until = how.clock.monotonicMs() + READY_MS;
    while (!ended.signal.aborted && how.clock.monotonicMs() < until) {
      const server = (await how.answers(port)) ? await livingServer(cluster) : null;
      if (server !== null) return server;
      await pause(how.clock, POLL_MS, ended.signal);
    }
    return `${ended.signal.aborted ? 'it ended' : 'it does not answer'}: ${await logTail(log)}`;
  } finally {
    await log.handle.close();
  }
}

/** Stops a server and waits for its end: orderly first, after 30 s at once. A server that is gone is fine. */
export async function stopServer({ process: ref }: Server, clock: Clock): Promise<void> {
  for (const [signal, withinMs] of STOPPING) {
    if (!(await isAlive(ref))) return;
    try {
      process.kill(ref.pid, signal);
    } catch (error) {
      if (!hasCode(error, 'ESRCH')) throw error;
    }
    if (await hasExited(ref, clock, withinMs)) return;
  }
  throw new Error(`PostgreSQL (pid ${ref.pid}) does not stop; see what holds it, then \`kill -QUIT ${ref.pid}\``);
}

/** The port of last time if it is free, so that addresses written down stay right; else any. */
async function choosePort(dataDir: string): Promise<number> {
  const file = join(dataDir, PORT);
  const remembered = Number((await readText(file)) ?? 0);
  const port = (remembered > 1023 && (await bound(remembered))) || (await bound(0));
  if (port === null) throw new Error('no port of 127.0.0.1 is free');
  await writeFile(file, `${port}\n`);
  return port;
}

function bound(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(null));
    probe.listen({ port, host: '127.0.0.1' }, () => {
      const address: AddressInfo | string | null = probe.address();
      probe.close(() => resolve(address === null || typeof address === 'string' ? null : address.port));
    });
  });
}

function settings(port: number, durable: boolean): string[] {
  const values = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 300, // a dead client behind a cut line keeps its own for a while
    shared_buffers: '128MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    cluster_name: 'maedal',
    fsync: durable ? 'on' : 'off',
    synchronous_commit: 'on', // always: without fsync it costs next to nothing, and kill -9 loses no commit
    full_page_writes: durable ? 'on' : 'off',
    // Values of rows and parameters stay out of the log.
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
    log_checkpoints: 'off',
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

type Launch = { readonly durable: boolean; readonly answers: Answers; readonly clock: Clock };

const READY_MS = 120_000;
const POLL_MS = 10;
const STOPPING = [
  ['SIGINT', 30_000],
  ['SIGQUIT', 10_000],
  ['SIGKILL', 5_000],
] as const;
