import { existsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { systemClock } from '../clock.ts';
import { ownModule } from '../own-files.ts';
import { ConfigError } from './config-error.ts';
import { reasonOf } from './reason.ts';

/**
 * Which configuration file is meant: the one named, else `maedal.config.ts` in `cwd`, else `example`. Throws
 * ConfigError where the named file, or any at all, is missing.
 */
export function findConfigFile(named: string | null, cwd: string, example: string): string {
  const own = resolve(cwd, 'maedal.config.ts');
  if (named !== null) {
    if (existsSync(named)) return named;
    throw new ConfigError([`MAEDAL_CONFIG names ${named}, which is not there`]);
  }
  if (existsSync(own)) return own;
  if (existsSync(example)) return example;
  throw new ConfigError([`neither ${own} nor ${example} is there; write one, or name it with MAEDAL_CONFIG`]);
}

/**
 * Runs a configuration file, TypeScript or JavaScript, and answers its default export, unchecked. `maedal` resolves
 * to this package wherever the file lies. Throws ConfigError that names the file and the reason, and what the file leaves
 * running: every process and every thread of hooks loads it, and would have that once more.
 */
export async function loadConfigFile(path: string, where: 'process' | 'thread' = 'process'): Promise<unknown> {
  // No cache: the disk may be read-only, and a stale file would be a wrong price.
  const quiet = { fsCache: false, moduleCache: false, interopDefault: false };
  const jiti = createJiti(path, { ...quiet, alias: { maedal: FRONT_DOOR } });
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new ConfigError([`${path} is a folder; name the configuration file in it`]);
  }
  let config: { readonly exported: unknown } | null;
  const before = running();
  try {
    config = await guarded(path, async () => defaultOf(await jiti.import(path)));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError([`${path} cannot be loaded: ${reasonOf(error).trim()}${placeOf(error)}`]);
  }
  // A thread has timers of its own, and cannot tell them apart.
  const left = where === 'process' ? leftRunning(before) : [];
  if (left.length > 0) {
    throw new ConfigError([
      `${path} leaves ${left.join(' and ')} behind: each process and each thread of hooks loads it; do that in a hook`,
    ]);
  }
  if (config !== null) return config.exported;
  throw new ConfigError([`${path} has no default export; write export default defineConfig({ … })`]);
}

/** The default export, waited for if it is a promise; null where there is none. */
async function defaultOf(module: unknown): Promise<{ readonly exported: unknown } | null> {
  if (typeof module !== 'object' || module === null || !('default' in module)) return null;
  return { exported: await module.default };
}

/** Where jiti could not read a file any further: it says so in a second line, `path:line:column`. */
function placeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) return '';
  const [, place] = /^[^\n]*\n *(\S[^\n]*:\d+:\d+)$/.exec(String(error.message)) ?? [];
  return place === undefined ? '' : ` at ${place}`;
}

/**
 * Runs the file's code where it can do least harm to us: its time is bounded; signals end the process at once, as nothing
 * is in hand yet and a file that loops would never let our handlers run; and if it ends the process, that is no success.
 */
async function guarded<Loaded>(path: string, load: () => Promise<Loaded>): Promise<Loaded> {
  const handlers = SIGNALS.flatMap((signal) => process.listeners(signal).map((handler) => ({ signal, handler })));
  for (const { signal, handler } of handlers) process.off(signal, handler);
  const ended = () => {
    process.stderr.write(`maedal: ${path} ended the process while it was loaded; remove that from it\n`);
    process.exitCode = 2;
  };
  process.on('exit', ended);
  let forget = () => {};
  const late = new Promise<never>((_, reject) => {
    const seconds = LOADED_WITHIN_MS / 1_000;
    const error = new ConfigError([`${path} did not finish loading within ${seconds} s; what does it wait for?`]);
    forget = systemClock.after(LOADED_WITHIN_MS, () => reject(error));
  });
  try {
    return await Promise.race([load(), late]);
  } finally {
    forget();
    process.off('exit', ended);
    for (const { signal, handler } of handlers) process.on(signal, handler);
  }
}

/** What keeps this process going, by kind. */
function running(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

function leftRunning(before: ReadonlyMap<string, number>): string[] {
  const now = running();
  return Object.entries(LEFT).flatMap(([kind, name]) => ((now.get(kind) ?? 0) > (before.get(kind) ?? 0) ? [name] : []));
}

/** What a file that only computes values never leaves, by Node's names. */
const LEFT = {
  Timeout: 'a timer',
  TCPServerWrap: 'a server',
  TCPSocketWrap: 'a connection',
  UDPWrap: 'a socket',
  FSEventWrap: 'a watched file',
  StatWatcher: 'a watched file',
  ProcessWrap: 'a process',
};

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const LOADED_WITHIN_MS = 10_000;

/** A configuration file is a program: in `live`, nobody but its owner may change it. Throws ConfigError. */
export function refuseForeignWriters(path: string): void {
  if ((statSync(path).mode & 0o022) === 0) return;
  throw new ConfigError([`${path} can be changed by other users of this machine; run chmod go-w on it`]);
}

// Not imported: Node would scan all of it for the names it exports, which is a fifth of a command's start.
const { createJiti }: typeof import('jiti') = createRequire(import.meta.url)('jiti');
const FRONT_DOOR = ownModule('index');
