import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../../support/process.ts';
import { findRedis } from '../../support/redis-program.ts';
import { standBy } from '../../support/undertaker.ts';

/** A Redis that keeps its data in a directory, to be killed and started again on it. */
export class LastingRedis {
  readonly url: string;
  readonly #port: number;
  readonly #dir: string;
  readonly #settings: readonly string[];
  #kill: () => Promise<void> = async () => {};

  private constructor(port: number, dir: string, settings: readonly string[]) {
    this.url = `redis://127.0.0.1:${port}`;
    this.#port = port;
    this.#dir = dir;
    this.#settings = settings;
  }

  /** With Redis's own defaults, and these settings over them. */
  static async start(settings: readonly string[]): Promise<LastingRedis> {
    const dir = await mkdtemp(join(tmpdir(), 'maedal-lasting-redis-'));
    const redis = new LastingRedis(await freePort(), dir, settings);
    await redis.startAgain();
    return redis;
  }

  /** Resolves once it has read what it kept and takes connections. */
  async startAgain(): Promise<void> {
    const { path, libraryPath } = await findRedis();
    const where = ['--port', `${this.#port}`, '--bind', '127.0.0.1', '--dir', this.#dir];
    const child = spawn(path, [...where, ...this.#settings], {
      env: { ...process.env, LD_LIBRARY_PATH: libraryPath },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const undertaker = standBy(`kill -9 ${child.pid}; rm -rf '${this.#dir}'`);
    const exit = once(child, 'exit');
    this.#kill = async () => {
      child.kill('SIGKILL');
      await exit;
      undertaker.dismiss();
    };
    const lines = createInterface({ input: child.stdout });
    await new Promise<void>((ready, failed) => {
      lines.on('line', (line) => line.includes('Ready to accept connections') && ready());
      lines.on('close', () => failed(new Error('Redis ended before it was ready')));
    });
  }

  /** The process dies at once; what it gave to the system to write is written. */
  kill(): Promise<void> {
    return this.#kill();
  }

  async remove(): Promise<void> {
    await this.#kill();
    await rm(this.#dir, { recursive: true, force: true });
  }
}
