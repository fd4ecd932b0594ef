import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { pause, systemClock } from '../../src/clock.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { freePort, type Maedal, runMaedal } from '../support/process.ts';
import { startRedis } from '../support/redis-server.ts';
import { ROOT } from '../support/repository.ts';

/** What a batch of charges came to. */
export type Batch<T> = {
  readonly merchantUids: readonly string[];
  /** What was done beside came to. */
  readonly beside: T;
  /** Charges a second, from the first that was sent to the last that was answered. */
  readonly perSecond: number;
};

/** The built program, a process for each role, on a PostgreSQL and a Redis of its own, with the sandbox as gateway. */
export class Shop {
  readonly consoleUrl: string;
  readonly #client: Client;
  readonly #home: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #closing: (() => Promise<unknown>)[] = [];
  #worker: Maedal | null = null;
  #batches = 0;

  private constructor(home: string, env: Readonly<Record<string, string>>) {
    this.#home = home;
    this.#env = env;
    this.consoleUrl = `http://127.0.0.1:${env.MAEDAL_PORT}`;
    this.#client = new Client({ connectionString: env.DATABASE_URL ?? '' });
  }

  /** Nothing is due yet. */
  static async open(): Promise<Shop> {
    const home = await mkdtemp(join(tmpdir(), 'maedal-bench-'));
    const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
    const [port, gatewayPort] = [String(await freePort()), String(await freePort())];
    await writeFile(join(home, 'maedal.config.ts'), 'export default {};\n');
    const shop = new Shop(home, {
      ...{ DATABASE_URL: postgres.url, REDIS_URL: redis.url, PORTONE_BASE_URL: `http://127.0.0.1:${gatewayPort}` },
      ...{ MAEDAL_PORT: port, MAEDAL_DATA_DIR: join(home, 'data'), MAEDAL_SANDBOX_PORT: gatewayPort },
      LOG_LEVEL: 'debug',
    });
    shop.#closing.push(
      () => rm(home, { recursive: true, force: true }),
      () => Promise.all([postgres.stop(), redis.stop()]),
    );
    try {
      await shop.#begin();
    } catch (error) {
      await shop.close();
      throw error;
    }
    return shop;
  }

  /** Lines that the worker has logged so far. */
  get logged(): readonly string[] {
    return this.#worker?.lines ?? [];
  }

  /** Has so many new subscriptions charged, and `beside` done from the moment at which the first charge is on its way. */
  async charge(count: number): Promise<Batch<undefined>>;
  async charge<T>(count: number, beside: () => Promise<T>): Promise<Batch<T>>;
  async charge<T>(count: number, beside?: () => Promise<T>): Promise<Batch<T | undefined>> {
    this.#batches += 1;
    const name = `batch${this.#batches}`;
    const file = join(this.#home, `${name}.csv`);
    await writeFile(file, csv(name, count));
    await this.#command('import', file);
    const scheduler = this.#start('scheduler'); // it ticks when it starts
    await this.#until(name, ({ sent }) => sent > 0);
    const paid = this.#until(name, (standing) => standing.paid === count);
    const [{ uids, seconds }, besides] = await Promise.all([paid, beside?.()]);
    scheduler.kill('SIGTERM');
    await scheduler.ended;
    return { merchantUids: uids, beside: besides, perSecond: count / seconds };
  }

  /** Resolves when no payment waits for a look-up that a webhook asked for. */
  async hintsFollowed(): Promise<void> {
    for (;;) {
      const { rows } = await this.#client.query('SELECT FROM hint WHERE look_at IS NOT NULL LIMIT 1');
      if (rows.length === 0) return;
      await pause(systemClock, LOOK_MS);
    }
  }

  /** Ends everything, and leaves nothing. */
  async close(): Promise<void> {
    for (let one = this.#closing.pop(); one !== undefined; one = this.#closing.pop()) await one();
  }

  async #begin(): Promise<void> {
    const sandbox = this.#run('sandbox', '--mode', `chargeLatencyMs=${THINKING_MS}`);
    await sandbox.line(/^sandbox at/);
    await this.#command('migrate');
    await this.#client.connect();
    this.#closing.push(() => this.#client.end());
    this.#worker = this.#start('worker');
    await Promise.all([this.#worker, this.#start('console')].map((one) => one.line(/^maedal is running/)));
  }

  #start(role: string): Maedal {
    return this.#run('start', '--roles', role);
  }

  #run(...args: readonly string[]): Maedal {
    const process = runMaedal(MAIN, args, this.#env, this.#home);
    this.#closing.push(async () => {
      process.kill('SIGTERM');
      await process.ended;
    });
    return process;
  }

  async #command(...args: readonly string[]): Promise<void> {
    const command = this.#run(...args);
    if ((await command.ended) !== 0) throw new Error(`maedal ${args.join(' ')} failed:\n${command.lines.join('\n')}`);
  }

  async #until(name: string, isSo: (standing: Standing) => boolean): Promise<Standing> {
    for (;;) {
      const { rows } = await this.#client.query<Standing>(STANDING, [`${name}-%`]);
      const [standing] = rows;
      if (standing !== undefined && isSo(standing)) return standing;
      await pause(systemClock, LOOK_MS);
    }
  }
}

type Standing = {
  readonly sent: number;
  readonly paid: number;
  readonly seconds: number;
  readonly uids: readonly string[];
};

function csv(name: string, count: number): string {
  const anchor = new Date(systemClock.nowMs() - 3_600_000).toISOString().slice(0, 19);
  const rows = Array.from({ length: count }, (_, index) => {
    return `${name}-${index},${name}-payer-${index},${name}-card-${index},구독,9900,KRW,month,1,${anchor},UTC,approve`;
  });
  const columns =
    'subscription_id,customer_id,customer_uid,name,amount,currency,interval,interval_count,anchor_at,timezone,test_card';
  return [columns, ...rows, ''].join('\n');
}

const STANDING = `
  SELECT count(*) FILTER (WHERE a.sent_at IS NOT NULL)::integer AS sent, count(*) FILTER (WHERE a.state = 'paid')::integer AS paid,
         extract(epoch FROM max(a.answered_at) - min(a.sent_at))::float8 AS seconds, coalesce(array_agg(a.merchant_uid), '{}') AS uids
    FROM attempt a JOIN invoice i ON i.id = a.invoice_id JOIN subscription s ON s.id = i.subscription_id
   WHERE s.external_id LIKE $1`;
const MAIN = join(ROOT, 'dist', 'main.js');
/** As long as a quick payment company takes. */
const THINKING_MS = 300;
const LOOK_MS = 250;
