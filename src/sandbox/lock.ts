import { randomBytes } from 'node:crypto';
import { link, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../billing/errors.ts';

/**
 * Takes the directory for this process and resolves to the function that gives it back. What a killed process left
 * behind is taken over. Throws InputError while a living process holds it.
 *
 * Each holder has a file of its own, `sandbox.<generation>.lock`, one higher than the last one, and the highest file is
 * never removed: replacing a dead holder's file in place would let two processes that both found it dead in together.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const ours = join(directory, `sandbox.${randomBytes(6).toString('hex')}.new`);
  await writeFile(ours, `${process.pid} ${(await startOf(process.pid)) ?? '-'}\n`);
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const last = await lastGeneration(directory);
      await refuseIfAlive(directory, await readIfThere(lockPath(directory, last)));
      const path = lockPath(directory, last + 1);
      if (!(await linked(ours, path))) continue; // a link appears whole: nobody reads a half-written holder
      if ((await lastGeneration(directory)) === last + 1) {
        await rm(lockPath(directory, last), { force: true });
        return () => writeFile(path, ''); // held by nobody
      }
      await unlink(path); // our look was so old that later generations have come and gone
    }
  } finally {
    await unlink(ours);
  }
  throw new InputError(`the sandbox directory ${directory} is being taken by others`, 'start one sandbox at a time');
}

async function lastGeneration(directory: string): Promise<number> {
  const generations = (await readdir(directory)).map((name) => Number(/^sandbox\.(\d+)\.lock$/.exec(name)?.[1] ?? 0));
  return Math.max(0, ...generations);
}

function lockPath(directory: string, generation: number): string {
  return join(directory, `sandbox.${generation}.lock`);
}

async function refuseIfAlive(directory: string, holder: string | null): Promise<void> {
  const [pidText = '', start = '-'] = (holder ?? '').trim().split(' ');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0 || !exists(pid)) return;
  const startNow = await startOf(pid);
  if (startNow !== null && startNow !== start) return; // dead, or its number was given to another process
  throw new InputError(
    `the sandbox directory ${directory} is in use by process ${pid}`,
    'stop that sandbox or choose another directory',
  );
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

/**
 * When a living process started, in ticks since boot (proc(5), field 22); `dead` for one that was killed but whose
 * parent has not taken notice, as happens in containers. Null where there is no /proc.
 */
async function startOf(pid: number): Promise<string | null> {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  if (stat === null) return null;
  const [state = '', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the command may hold spaces
  return /[ZXx]/.test(state) ? 'dead' : (rest[18] ?? null);
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH')) return null;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}

const ROUNDS = 10;
