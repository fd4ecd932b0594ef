import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** A maedal process of a test's own, killed by its own pid and group alone. */
export type Maedal = {
  readonly pid: number;
  /** Every line so far, of both outputs. */
  readonly lines: readonly string[];
  /** The first line, past or to come, that matches. Rejects when the process ends without it. */
  line(pattern: Pattern): Promise<string>;
  /** Signals the whole process group, as a terminal or a supervisor would. */
  kill(signal: NodeJS.Signals): void;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
};

/** A regular expression, or anything that is asked line by line. */
type Pattern = { test(line: string): boolean };

/** Runs `node <main> <args>` with exactly these settings besides PATH and HOME. */
export function runMaedal(main: string, args: readonly string[], env: Record<string, string>, cwd: string): Maedal {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? cwd, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on('line', (line) => {
      lines.push(line);
      for (const look of waiting) look();
    });
  }
  const ended = once(child, 'close').then(([code, signal]: (number | NodeJS.Signals | null)[]) => signal ?? code ?? 1);
  return {
    pid: pidOf(child),
    lines,
    ended: ended as Promise<number | NodeJS.Signals>,
    line: (pattern) => firstLine(lines, waiting, pattern, ended),
    kill: (signal) => {
      try {
        process.kill(-pidOf(child), signal);
      } catch {
        // It ended by itself.
      }
    },
  };
}

async function firstLine(
  lines: readonly string[],
  waiting: Set<() => void>,
  pattern: Pattern,
  ended: Promise<unknown>,
): Promise<string> {
  let stopLooking = () => {};
  const found = new Promise<string>((resolve) => {
    let asked = 0;
    const look = () => {
      for (const line of lines.slice(asked)) {
        asked += 1;
        if (pattern.test(line)) resolve(line);
      }
    };
    waiting.add(look);
    stopLooking = () => void waiting.delete(look);
    look();
  });
  const gone = ended.then(() => {
    throw new Error(`the process ended without a line like ${pattern}:\n${lines.slice(-20).join('\n')}`);
  });
  try {
    return await Promise.race([found, gone]);
  } finally {
    stopLooking();
    gone.catch(() => undefined);
  }
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the process did not start');
  return child.pid;
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
