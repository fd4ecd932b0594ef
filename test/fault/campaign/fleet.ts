import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pause, systemClock } from '../../../src/clock.ts';
import { standBy, type Undertaker } from '../../support/undertaker.ts';
import type { Chance } from './chance.ts';
import type { Tally } from './tally.ts';

const ROLES = ['scheduler', 'worker', 'console'] as const;
export type Role = (typeof ROLES)[number];

/** A place for one process, which a supervisor fills anew when the process ends. */
export type Slot = {
  readonly name: string;
  readonly role: Role;
  child: ChildProcess | null;
  /** As its sessions in the database call themselves: the slot and how often it was filled. */
  who: string;
  filled: number;
  /** Where its log stood when it was filled, and whether the process has said since that it is running. */
  logBegan: number;
  running: boolean;
  paused: boolean;
  /** Who ended it on purpose; nobody, then it ended by itself. */
  ending: boolean;
};

export type FleetOptions = {
  readonly main: string;
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** The database's URL as the processes see it. */
  readonly databaseUrl: string;
  readonly chance: Chance;
  readonly tally: Tally;
};

/** The processes under test: two schedulers, two workers, a console; supervised as in life. */
export class Fleet {
  readonly slots: readonly Slot[];
  /** What a role's process, or a command, is started with in `MAEDAL_FAILPOINTS`; null for nothing. */
  arming: (what: string) => string | null = () => null;
  readonly #options: FleetOptions;
  readonly #undertaker: Undertaker;
  readonly #others = new Set<ChildProcess>();
  #closing = false;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.slots = SLOTS.map(([name, role]) => {
      return {
        name,
        role,
        child: null,
        who: name,
        filled: 0,
        logBegan: 0,
        running: false,
        paused: false,
        ending: false,
      };
    });
    // Whoever still works in our directory when we are gone, by the list that we keep.
    const { directory } = options;
    this.#undertaker = standBy(
      `for pid in $(cat '${directory}/pids'); do [ "$(readlink /proc/$pid/cwd)" = '${directory}' ] && kill -9 $pid; done`,
    );
  }

  start(): void {
    for (const slot of this.slots) this.#fill(slot);
  }

  /** Living slots of these roles, paused ones left out. */
  living(...roles: readonly Role[]): Slot[] {
    return this.slots.filter((slot) => roles.includes(slot.role) && isAlive(slot.child) && !slot.paused);
  }

  /** Those of them that have come to work by now; now and then all, for a process may die, or stand still, while it starts. */
  working(...roles: readonly Role[]): Slot[] {
    const living = this.living(...roles);
    if (this.#options.chance.happens(0.15)) return living;
    return living.filter((slot) => this.#isRunning(slot));
  }

  signal(slot: Slot, signal: NodeJS.Signals): void {
    if (!isAlive(slot.child)) return;
    slot.ending = signal !== 'SIGSTOP' && signal !== 'SIGCONT';
    slot.child?.kill(signal);
  }

  async pauseFor(slot: Slot, ms: number): Promise<void> {
    this.signal(slot, 'SIGSTOP');
    slot.paused = true;
    await pause(systemClock, ms);
    this.signal(slot, 'SIGCONT');
    slot.paused = false;
  }

  /** SIGTERM; two seconds later SIGKILL, as an impatient supervisor does. */
  async deploy(slot: Slot): Promise<void> {
    const { child } = slot;
    if (child === null || !isAlive(child)) return;
    this.signal(slot, 'SIGTERM');
    await Promise.race([once(child, 'exit'), pause(systemClock, 2_000)]);
    if (slot.child === child) this.signal(slot, 'SIGKILL');
  }

  /** Kills every process and has it started again, without failpoints if `arming` says so. */
  async restartAll(): Promise<void> {
    const ends = this.slots.flatMap(({ child }) => (child !== null && isAlive(child) ? [once(child, 'exit')] : []));
    for (const slot of this.slots) this.signal(slot, 'SIGKILL');
    await Promise.all(ends);
  }

  /** Runs one command to its end beside the others, killed after `ms`; resolves to its exit code, 1 for one that was killed. */
  async run(
    args: readonly string[],
    settings: Readonly<Record<string, string>> = {},
    ms = PATIENCE_MS,
  ): Promise<number> {
    const child = this.#spawn(args[0] ?? 'maedal', args, settings);
    this.#others.add(child);
    this.#noteProcesses();
    const forget = systemClock.after(ms, () => child.kill('SIGKILL'));
    const [code] = await once(child, 'exit');
    forget();
    this.#others.delete(child);
    return typeof code === 'number' ? code : 1;
  }

  /** Runs a command as people and crons do: through the proxies, with failpoints, and not for ever. */
  command(args: readonly string[]): Promise<number> {
    return this.run(args, this.#failpoints(args[0] ?? ''), COMMAND_MS);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.restartAll();
    for (const child of this.#others) child.kill('SIGKILL');
    this.#undertaker.dismiss();
  }

  #fill(slot: Slot): void {
    slot.filled += 1;
    slot.who = `${slot.name}.${slot.filled}`;
    slot.ending = false;
    slot.paused = false;
    slot.running = false;
    slot.logBegan = statSync(this.#logOf(slot.name), { throwIfNoEntry: false })?.size ?? 0;
    const child = this.#spawn(slot.name, ['start', '--roles', slot.role], this.#failpoints(slot.role), slot.who);
    slot.child = child;
    this.#noteProcesses();
    child.once('exit', (code, signal) => void this.#ended(slot, code, signal));
  }

  #isRunning(slot: Slot): boolean {
    slot.running ||= firstWords(this.#logOf(slot.name), slot.logBegan).includes('maedal is running');
    return slot.running;
  }

  #logOf(name: string): string {
    return join(this.#options.directory, 'logs', `${name}.log`);
  }

  #failpoints(what: string): Record<string, string> {
    const armed = this.arming(what);
    if (armed === null) return {};
    return { MAEDAL_FAILPOINTS: armed, MAEDAL_FAILPOINT_SEED: String(this.#options.chance.between(1, 999_999_999)) };
  }

  async #ended(slot: Slot, code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    if (!slot.ending && signal === null) {
      const why = await lastWords(this.#logOf(slot.name));
      this.#options.tally.add('exits', `${slot.role} by itself with ${code}: ${why}`);
    }
    await pause(systemClock, this.#options.chance.between(100, 500));
    if (!this.#closing) this.#fill(slot);
  }

  #spawn(name: string, args: readonly string[], settings: Readonly<Record<string, string>>, who = name): ChildProcess {
    const { main, directory, env, databaseUrl } = this.#options;
    const url = new URL(settings.DATABASE_URL ?? databaseUrl);
    url.searchParams.set('application_name', who);
    // A connection's first statements cost PostgreSQL more than those of a charge.
    url.searchParams.set('connection_limit', String(CONNECTIONS));
    const log = openSync(this.#logOf(name), 'a');
    const child = spawn(process.execPath, [main, ...args], {
      cwd: directory,
      env: { ...env, ...settings, DATABASE_URL: url.toString() },
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    return child;
  }

  #noteProcesses(): void {
    const children = [...this.slots.map(({ child }) => child), ...this.#others];
    const pids = children.flatMap((child) => (child !== null && isAlive(child) ? [child.pid] : []));
    writeFileSync(join(this.#options.directory, 'pids'), `${pids.join('\n')}\n`);
  }
}

/** What a log says from there on, not all of it. */
function firstWords(log: string, from: number): Buffer {
  const file = openSync(log, 'r');
  const words = Buffer.alloc(65_536);
  const length = readSync(file, words, 0, words.length, from);
  closeSync(file);
  return words.subarray(0, length);
}

/** What a process complained of last. */
async function lastWords(log: string): Promise<string> {
  const lines = (await readFile(log, 'utf8')).split('\n');
  return lines.findLast((line) => line.startsWith('maedal:'))?.slice(0, 200) ?? 'without a word';
}

function isAlive(child: ChildProcess | null): boolean {
  return child !== null && child.exitCode === null && child.signalCode === null;
}

const CONNECTIONS = 4;
/** A failpoint may have it hang. */
const COMMAND_MS = 40_000;
/** An import of thousands is done by then, on a machine with much to do. */
const PATIENCE_MS = 120_000;

const SLOTS: readonly (readonly [string, Role])[] = [
  ['scheduler-1', 'scheduler'],
  ['scheduler-2', 'scheduler'],
  ['worker-1', 'worker'],
  ['worker-2', 'worker'],
  ['console-1', 'console'],
];
