import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../billing/errors.ts';
import { hasCode, readText } from './files.ts';
import { isAlive, type ProcessRef, processMark } from './processes.ts';

/** Another maedal that lives works on this directory. Nothing was changed; exit 3. */
export class DataDirBusyError extends Error {
  override readonly name = 'DataDirBusyError';
  /** The process that has it. */
  readonly pid: number;

  constructor(dir: string, pid: number) {
    super(
      `another maedal (pid ${pid}) is working on ${dir}; stop it (Ctrl-C in its terminal, or \`kill ${pid}\`) and ` +
        'start again, or give this one its own directory with MAEDAL_DATA_DIR',
    );
    this.pid = pid;
  }
}

/** A directory that is ours until `release()`, or until this process ends, however it ends. */
export type Claim = { release(): Promise<void> };

/**
 * Makes this process the one owner of `dir`, creating it where it is missing. Throws DataDirBusyError while another
 * owner lives (this process counts too), InputError where we may not write. An owner that was killed is succeeded.
 *
 * The claim is a file `owner-<n>.json`, linked into place whole, so of two that want number n one gets it. Nobody ever
 * takes a file over: a successor takes the next number, then looks whether another number lives, and steps back if so.
 */
export async function claimDirectory(dir: string): Promise<Claim> {
  try {
    await mkdir(dir, { recursive: true });
    return await claim(await realpath(dir));
  } catch (error) {
    if (!hasCode(error, 'EACCES', 'EPERM', 'EROFS')) throw error;
    const remedy = 'start maedal as the user it belongs to, or name another directory with MAEDAL_DATA_DIR';
    throw new InputError(`this user may not write to ${dir}`, remedy);
  }
}

async function claim(dir: string): Promise<Claim> {
  const draft = join(dir, `.claim-${randomUUID()}`);
  await writeFile(draft, JSON.stringify(await ourselves()), { flag: 'wx' });
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const names = await ownerFiles(dir);
      await refuseLiving(dir, names);
      const mine = `owner-${Math.max(0, ...names.map(numberOf)) + 1}.json`;
      if (await linked(draft, join(dir, mine))) return await confirm(dir, mine);
    }
  } finally {
    await rm(draft, { force: true });
  }
  throw new Error(`${dir} changed owners ${ROUNDS} times while we tried to claim it`);
}

/** Two may have taken different numbers, if one had looked long ago: whoever links second sees the other here. */
async function confirm(dir: string, mine: string): Promise<Claim> {
  const release = () => rm(join(dir, mine), { force: true });
  try {
    const others = (await ownerFiles(dir)).filter((name) => name !== mine);
    await refuseLiving(dir, others);
    for (const name of others) await rm(join(dir, name), { force: true });
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

async function refuseLiving(dir: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const owner = parseOwner(await readText(join(dir, name)));
    if (owner !== null && (await isAlive(owner))) throw new DataDirBusyError(dir, owner.pid);
  }
}

async function ourselves(): Promise<ProcessRef> {
  const mark = await processMark(process.pid);
  if (mark === null) throw new Error('this system does not tell when a process started: neither /proc nor ps answers');
  return { pid: process.pid, mark };
}

async function ownerFiles(dir: string): Promise<string[]> {
  return (await readdir(dir)).filter((name) => OWNER_FILE.test(name));
}

function numberOf(name: string): number {
  return Number(OWNER_FILE.exec(name)?.[1] ?? 0);
}

/** A file that a power cut left empty belongs to nobody who lives. */
function parseOwner(text: string | null): ProcessRef | null {
  try {
    return Owner.parse(JSON.parse(text ?? ''));
  } catch {
    return null;
  }
}

async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

const OWNER_FILE = /^owner-(\d+)\.json$/;
const Owner = z.object({ pid: z.number().int().positive(), mark: z.string() });
const ROUNDS = 50;
