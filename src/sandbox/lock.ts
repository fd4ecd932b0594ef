import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../billing/errors.ts';

/**
 * Takes the directory for this process and resolves to the function that gives it back. What a killed process left
 * behind is taken over. Throws InputError while a living process holds it.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, 'sandbox.lock');
  const ours = join(directory, `sandbox.lock.${randomBytes(6).toString('hex')}`);
  await writeFile(ours, `${process.pid} ${(await startOf(process.pid)) ?? '-'}\n`);
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      // A link appears whole and only once, so that nobody reads a half-written holder.
      if (await linked(ours, path)) return () => rm(path, { force: true });
      await removeStale(directory, path);
    }
  } finally {
    await unlink(ours);
  }
  throw new InputError(`the sandbox directory ${directory} is being taken by others`, 'start one sandbox at a time');
}

async function removeStale(directory: string, path: string): Promise<void> {
  await refuseIfAlive(directory, await readIfThere(path));
  const aside = join(directory, `sandbox.lock.stale.${randomBytes(6).toString('hex')}`);
  try {
    await rename(path, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  // Between the look and the rename another process may have adopted the directory: then it gets its lock back.
  try {
    await refuseIfAlive(directory, await readIfThere(aside));
  } catch (error) {
    await linked(aside, path);
    throw error;
  } finally {
    await unlink(aside);
  }
}

async function refuseIfAlive(directory: string, holder: string | null): Promise<void> {
  const [pidText = '', start = '-'] = (holder ?? '').trim().split(' ');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0 || !isRunning(pid)) return;
  const startNow = await startOf(pid);
  if (startNow !== null && start !== '-' && startNow !== start) return; // the number was given to another process
  throw new InputError(
    `the sandbox directory ${directory} is in use by process ${pid}`,
    'stop that sandbox or choose another directory',
  );
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

/** When a process started, in ticks since boot (proc(5), field 22). Null where there is no /proc. */
async function startOf(pid: number): Promise<string | null> {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  // The command, field 2, may hold spaces and brackets; the last bracket ends it.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
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
  return error instanceof Error && 'code' in error && error.code === code;
}

const ROUNDS = 5;
