import { spawn } from 'node:child_process';

/** Stands by until this process ends, or until it is dismissed. */
export type Undertaker = { dismiss(): void };

/**
 * Runs `script` (of /bin/sh) should this process end without a word: Ctrl-C and kill -9 skip every teardown, and a
 * server in its own session would stay for good. It notices by its standard input ending.
 */
export function standBy(script: string): Undertaker {
  const child = spawn('/bin/sh', ['-c', `read -r word && exit; ${script}`], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  return { dismiss: () => void child.stdin.end('dismissed\n') };
}
