import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, realpath, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../billing/errors.ts';
import { hasCode, ownerOf, readText, writeWhole } from './files.ts';
import { type Account, output } from './processes.ts';

/** Where a data directory's database really is, and who runs it. */
export type Place = {
  /** The data directory, without symbolic links: password, port, log. */
  readonly dataDir: string;
  /** The directory that holds `cluster`: the data directory, or one outside it that the account may enter. */
  readonly home: string;
  /** `null`: PostgreSQL runs as ourselves. Never null as root, as whom PostgreSQL refuses to run. */
  readonly account: Account | null;
};

/**
 * Finds the database of a data directory, or the place for a new one. As root that is the directory itself if the
 * account that will run PostgreSQL can work there, else `/var/lib/maedal/<hash of the directory>`; a note left in the
 * data directory names it and is believed from then on. Throws InputError where no place can be had.
 */
export async function findPlace(dataDir: string, report: (line: string) => void): Promise<Place> {
  const noted = await notedHome(dataDir);
  const home = noted ?? dataDir;
  const owner = await ownerOf(clusterIn(home));
  if (process.getuid?.() !== 0) {
    if (owner !== null && owner.uid !== process.getuid?.()) throw foreign(home, owner.uid);
    return { dataDir, home, account: null };
  }
  // Data that an ordinary user began stays that user's.
  const account = owner === null ? await serviceAccount() : { name: `with id ${owner.uid}`, ...owner };
  if (noted !== null || owner !== null || (await canWorkIn(dataDir, account))) return { dataDir, home, account };
  return { dataDir, home: await homeOutside(dataDir, account, report), account };
}

/** Where the note in a data directory says that its database is; `null` if there is no note. Throws InputError. */
export async function notedHome(dataDir: string): Promise<string | null> {
  const text = await readText(join(dataDir, NOTE));
  if (text === null) return null;
  const note = Note.parse(JSON.parse(text));
  if (note.of === dataDir) return note.database;
  if ((await readText(join(note.of, NOTE))) === text) {
    throw new InputError(
      `${dataDir} is a copy of ${note.of}, and both would use the database in ${note.database}`,
      `remove ${join(dataDir, NOTE)} to begin with an empty database, or go on in ${note.of}`,
    );
  }
  await writeNote(dataDir, note.database); // the directory was moved
  return note.database;
}

/** The database's own directory inside its home. */
export function clusterIn(home: string): string {
  return join(home, 'cluster');
}

/** Creates a directory that is the account's own and nobody else's. */
export async function mkdirFor(account: Account | null, path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  if (account !== null) await chown(path, account.uid, account.gid);
}

/** Creates the data directory if need be, open for the account that will run PostgreSQL. Resolves to its real path. */
export async function openDataDir(dataDir: string): Promise<string> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o755 });
    return await realpath(dataDir);
  } catch (error) {
    if (!hasCode(error, 'EACCES', 'EPERM', 'EROFS')) throw error;
    const remedy = 'start maedal as the user it belongs to, or name another directory with MAEDAL_DATA_DIR';
    throw new InputError(`this user may not write to ${dataDir}`, remedy);
  }
}

function foreign(home: string, uid: number): InputError {
  const remedy = 'start maedal as that user or as root, or name another directory with MAEDAL_DATA_DIR';
  return new InputError(`the database in ${home} belongs to the user with id ${uid}`, remedy);
}

/** An unprivileged account that every system has. None is created. */
async function serviceAccount(): Promise<Account> {
  const lines = ((await readText('/etc/passwd')) ?? '').split('\n').map((line) => line.split(':'));
  for (const wanted of ['postgres', '_postgres', 'nobody']) {
    const [name, , uid, gid] = lines.find((fields) => fields[0] === wanted) ?? [];
    if (name !== undefined && Number(uid) !== 0) return { name, uid: Number(uid), gid: Number(gid) };
  }
  const problem = 'PostgreSQL refuses to run as root, and /etc/passwd has neither a user postgres nor nobody';
  throw new InputError(problem, 'start maedal as an ordinary user, or set DATABASE_URL');
}

/** Tried, not computed: lists of access rights, mounts and file systems without owners decide as well as mode bits. */
async function canWorkIn(dir: string, account: Account): Promise<boolean> {
  const probe = await mkdtemp(join(dir, '.probe-'));
  try {
    await chown(probe, account.uid, account.gid);
    if (((await stat(probe)).mode & 0o077) !== 0) return false;
    return (await output('/bin/sh', ['-c', 'cd "$1" && : > file', 'sh', probe], account)) !== null;
  } catch (error) {
    if (hasCode(error, 'EPERM', 'EINVAL', 'ENOTSUP')) return false;
    throw error;
  } finally {
    await rm(probe, { recursive: true, force: true });
  }
}

async function homeOutside(dataDir: string, account: Account, report: (line: string) => void): Promise<string> {
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  const home = await firstUnused(join(MACHINE_DIR, hash), report);
  await mkdir(home, { recursive: true });
  for (const dir of [MACHINE_DIR, home]) await chmod(dir, 0o755);
  if (!(await canWorkIn(home, account))) {
    const problem = `the user ${account.name} can work neither in ${dataDir} nor in ${home}, and PostgreSQL refuses root`;
    throw new InputError(
      problem,
      'start maedal as an ordinary user, name a directory that all may enter with ' +
        'MAEDAL_DATA_DIR, or set DATABASE_URL',
    );
  }
  await writeNote(dataDir, home); // before the database, which is never to be found without its note
  report(`${dataDir} is closed to the user ${account.name}: its database is kept in ${home}`);
  return home;
}

/** A database there without a note here served a data directory that was removed or moved: never ours, never deleted. */
async function firstUnused(path: string, report: (line: string) => void): Promise<string> {
  for (let number = 1; ; number++) {
    const home = number === 1 ? path : `${path}-${number}`;
    if ((await ownerOf(clusterIn(home))) === null) return home;
    report(`${home} holds the database of an earlier ${basename(path)}; remove it if you do not need it`);
  }
}

async function writeNote(dataDir: string, home: string): Promise<void> {
  await writeWhole(join(dataDir, NOTE), `${JSON.stringify({ database: home, of: dataDir }, null, 1)}\n`, 0o644);
}

/** Databases and copies of the programs for root, where the data directory or the package is closed to other users. */
export const MACHINE_DIR = '/var/lib/maedal';
const NOTE = 'the-database-is-elsewhere.json';
const Note = z.object({ database: z.string(), of: z.string() });
