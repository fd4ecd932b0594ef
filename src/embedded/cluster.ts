import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../billing/errors.ts';
import { type Clock, pause } from '../clock.ts';
import { ownerOf, readText, writeWhole } from './files.ts';
import { clusterIn, mkdirFor, type Place } from './place.ts';
import { CHILD_OPTIONS, held, identity } from './processes.ts';
import type { Programs } from './programs.ts';
import { logTail, openLog } from './server-log.ts';

/** With what a database is made. */
export type Preparation = {
  readonly clock: Clock;
  readonly durable: boolean;
  readonly report: (line: string) => void;
};

/** The name of the database, and of the role that owns it. */
export const DATABASE = 'maedal';

/**
 * Makes the database's files unless they exist, and resolves to the role's password. They are made aside and renamed
 * into place whole, so that one who is killed half way leaves nothing that the next start could take for a database.
 * Throws InputError where the files are of another version of PostgreSQL, or half of what was there is gone.
 */
export async function prepareCluster(place: Place, programs: Programs, how: Preparation): Promise<string> {
  const version = await readText(join(clusterIn(place.home), 'PG_VERSION'));
  const password = await readPassword(place.dataDir);
  if (version !== null) return checked(place, programs, version.trim(), password);
  if ((await ownerOf(join(place.dataDir, PORT))) !== null) throw lost(place, `the database in ${place.home}`);
  const chosen = password ?? (await newPassword(place.dataDir));
  await initialise(place, programs, chosen, how);
  return chosen;
}

/** The password in a data directory, or `null` if there is none yet. */
export function readPassword(dataDir: string): Promise<string | null> {
  return readText(join(dataDir, 'password'));
}

function checked(place: Place, programs: Programs, version: string, password: string | null): string {
  if (version !== programs.major) {
    const problem = `the database in ${place.home} is of PostgreSQL ${version}, these programs are ${programs.major}`;
    throw new InputError(
      problem,
      'dump it with the version that made it, and set DATABASE_URL to where you restore it',
    );
  }
  if (password === null) throw lost(place, `the password of the database, ${join(place.dataDir, 'password')},`);
  return password;
}

function lost(place: Place, what: string): InputError {
  return new InputError(`${what} is gone`, `restore it from a backup, or remove ${place.dataDir} to begin anew`);
}

async function newPassword(dataDir: string): Promise<string> {
  const password = randomBytes(24).toString('base64url');
  await writeWhole(join(dataDir, 'password'), password, 0o600);
  return password;
}

async function initialise(place: Place, programs: Programs, password: string, how: Preparation): Promise<void> {
  await mkdir(place.home, { recursive: true });
  for (const name of await readdir(place.home)) {
    // Of one that was killed; its initdb may still be writing there for a moment.
    if (name.startsWith('staging-')) await rm(join(place.home, name), { recursive: true, maxRetries: 5 });
  }
  const staging = join(place.home, `staging-${randomBytes(6).toString('hex')}`);
  await mkdirFor(place.account, staging);
  const passwordFile = join(staging, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (place.account !== null) await chown(passwordFile, place.account.uid, place.account.gid);
  const settings = [...INITDB, '-D', clusterIn(staging), `--pwfile=${passwordFile}`];
  how.report(`making a database in ${place.home}`);
  await held(() => runInitdb(place, programs.initdb, how.durable ? settings : [...settings, '--no-sync'], how.clock));
  await rename(clusterIn(staging), clusterIn(place.home));
  await rm(staging, { recursive: true });
  if (how.durable) await syncDirectory(place.home);
}

/** In its own session: Ctrl-C in the terminal ends maedal when it is ready for it, not this half-way. */
async function runInitdb(place: Place, initdb: string, args: readonly string[], clock: Clock): Promise<void> {
  const log = await openLog(place.dataDir);
  const done = new AbortController();
  try {
    const child = spawn(initdb, args, {
      ...CHILD_OPTIONS,
      ...identity(place.account),
      detached: true,
      stdio: ['ignore', log.handle.fd, log.handle.fd],
    });
    void pause(clock, INITDB_MS, done.signal).then(() => child.kill('SIGKILL')); // nothing, once it has ended
    const [code, signal] = await once(child, 'exit');
    if (code !== 0) throw new Error(`initdb ended with ${code ?? signal}: ${await logTail(log)}`);
  } finally {
    done.abort();
    await log.handle.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path);
  await directory.sync();
  await directory.close();
}

/** The file that remembers the server's port; it exists once the database has been started. */
export const PORT = 'port';
const INITDB_MS = 120_000;
/** Text sorts by code point, alike on every machine; nothing depends on the host's languages. */
const INITDB = [`--username=${DATABASE}`, '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C'].concat(
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--no-instructions',
);
