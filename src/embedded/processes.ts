import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { MessageChannel } from 'node:worker_threads';
import { type Clock, pause } from '../clock.ts';
import { readText } from './files.ts';

/** One run of a process: its id, and a mark that no earlier or later process with that id shares. */
export type ProcessRef = { readonly pid: number; readonly mark: string };

/** An existing account that programs are started as. `null` stands for our own. */
export type Account = { readonly name: string; readonly uid: number; readonly gid: number };

/** How children are started: no variable of ours reaches them, and no working directory they may not enter. */
export const CHILD_OPTIONS = { cwd: '/', env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' } };

/**
 * The mark of a living process: when it started, and since which boot. `null`: there is none, or only its remains
 * (a zombie that nobody has waited for). Linux from `/proc/<pid>/stat` field 22 (proc(5)), elsewhere from `ps`.
 */
export async function processMark(pid: number): Promise<string | null> {
  return process.platform === 'linux' ? markFromProc(pid) : markFromPs(pid);
}

/** Whether that very run still lives. */
export async function isAlive(ref: ProcessRef): Promise<boolean> {
  return (await processMark(ref.pid)) === ref.mark;
}

/** The command line of a process, its words joined by blanks; empty if there is no such process. */
export async function commandOf(pid: number): Promise<string> {
  if (process.platform === 'linux') return ((await readText(`/proc/${pid}/cmdline`)) ?? '').replaceAll('\0', ' ');
  return (await output('ps', ['-ww', '-p', String(pid), '-o', 'command='], null)) ?? '';
}

/** Waits until that run has ended; false if it still lives after `withinMs`. */
export async function hasExited(ref: ProcessRef, clock: Clock, withinMs: number): Promise<boolean> {
  const until = clock.monotonicMs() + withinMs;
  while (await isAlive(ref)) {
    if (clock.monotonicMs() >= until) return false;
    await pause(clock, 10);
  }
  return true;
}

/** What a short program printed, run as `account`; `null` if it could not be started, failed, or took over 20 s. */
export async function output(program: string, args: readonly string[], account: Account | null) {
  try {
    const options = { ...CHILD_OPTIONS, ...identity(account), timeout: 20_000 };
    return (await promisify(execFile)(program, [...args], options)).stdout;
  } catch {
    return null;
  }
}

/** The part of the options of `spawn` that makes a child run as `account`. */
export function identity(account: Account | null): { uid: number; gid: number } | Record<string, never> {
  return account === null ? {} : { uid: account.uid, gid: account.gid };
}

/** Keeps this process alive during `work`: timers of the clock and detached children alone would let it end. */
export async function held<T>(work: () => Promise<T>): Promise<T> {
  const { port1 } = new MessageChannel();
  port1.ref();
  try {
    return await work();
  } finally {
    port1.close();
  }
}

async function markFromProc(pid: number): Promise<string | null> {
  const stat = await readText(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The second field, the name, may hold blanks and brackets: count from the last bracket. State is field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return null;
  const boot = (await readText('/proc/sys/kernel/random/boot_id')) ?? '';
  return `${boot.trim()}/${fields[19]}`;
}

async function markFromPs(pid: number): Promise<string | null> {
  const line = await output('ps', ['-p', String(pid), '-o', 'stat=', '-o', 'lstart='], null);
  const [state, ...started] = (line ?? '').trim().split(/\s+/);
  return state === undefined || state === '' || state.startsWith('Z') ? null : started.join(' ');
}
