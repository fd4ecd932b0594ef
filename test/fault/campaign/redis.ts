import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { pause, systemClock } from '../../../src/clock.ts';
import { freePort } from '../../support/process.ts';
import { findRedis, type RedisProgram } from '../../support/redis-program.ts';
import { standBy, type Undertaker } from '../../support/undertaker.ts';

/** The run's own Redis: it keeps only what `keep` wrote, and comes back empty or with an old dump. */
export class CampaignRedis {
  readonly #directory: string;
  readonly #program: RedisProgram;
  readonly port: number;
  #child: ChildProcess | null = null;
  #undertaker: Undertaker | null = null;
  #busy: Promise<unknown> = Promise.resolve();

  private constructor(directory: string, program: RedisProgram, port: number) {
    this.#directory = directory;
    this.#program = program;
    this.port = port;
  }

  static async start(directory: string): Promise<CampaignRedis> {
    const home = join(directory, 'redis');
    await mkdir(home, { recursive: true });
    const redis = new CampaignRedis(home, await findRedis(), await freePort());
    await redis.#launch();
    return redis;
  }

  /** Past every proxy. */
  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Writes everything to a dump that `restartOld` brings back. */
  keep(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#asked((redis) => redis.save());
      await copyFile(join(this.#directory, 'dump.rdb'), this.oldDump);
    });
  }

  get oldDump(): string {
    return join(this.#directory, 'old.rdb');
  }

  flush(): Promise<void> {
    return this.#inTurn(() => this.#asked((redis) => redis.flushall()));
  }

  /** Cuts every client off. */
  cutClients(): Promise<void> {
    return this.#inTurn(() => this.#asked((redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'normal')));
  }

  /** SIGKILL; then it runs again, with nothing in it or with what `keep` wrote. */
  restart(what: 'empty' | 'old'): Promise<void> {
    return this.#inTurn(async () => {
      await this.#kill();
      await rm(join(this.#directory, 'dump.rdb'), { force: true });
      if (what === 'old') await copyFile(this.oldDump, join(this.#directory, 'dump.rdb')).catch(() => undefined);
      await this.#launch();
    });
  }

  stop(): Promise<void> {
    return this.#inTurn(() => this.#kill());
  }

  async #launch(): Promise<void> {
    const { path, libraryPath } = this.#program;
    const log = join(this.#directory, 'redis.log');
    const args = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.#directory, '--logfile', log];
    const env = { ...process.env, LD_LIBRARY_PATH: libraryPath };
    const child = spawn(path, [...args, ...SETTINGS], { env, stdio: 'ignore', detached: true });
    this.#child = child;
    this.#undertaker = standBy(`kill -9 ${child.pid}`);
    for (let tries = 0; ; tries += 1) {
      const pong = await this.#asked((redis) => redis.ping()).then(
        () => true,
        () => false,
      );
      if (pong) return;
      if (tries > 500 || child.exitCode !== null) throw new Error(`Redis did not start: see ${log}`);
      await pause(systemClock, 10);
    }
  }

  async #kill(): Promise<void> {
    const child = this.#child;
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    this.#undertaker?.dismiss();
  }

  async #asked(question: (redis: Redis) => Promise<unknown>): Promise<void> {
    const redis = new Redis(this.url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      await question(redis);
    } finally {
      redis.disconnect();
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#busy.then(work);
    this.#busy = turn.catch(() => undefined);
    return turn;
  }
}

/** Not compressed, so that a dump can be searched for what must not be in it. */
const SETTINGS = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction', '--rdbcompression', 'no'];
