import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Pool, type QueryResultRow } from 'pg';
import { pause, systemClock } from '../../../src/clock.ts';
import { clusterIn, notedHome } from '../../../src/embedded/place.ts';
import {
  type EmbeddedPostgres,
  removeEmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../src/embedded/postgres.ts';
import { livingServer } from '../../../src/embedded/server.ts';
import { standBy, type Undertaker } from '../../support/undertaker.ts';

/** What an oracle asks. */
export type Asked = Pick<CampaignPostgres, 'query'>;

/** The run's own PostgreSQL: it dies and comes back on the same port with the same data. */
export class CampaignPostgres {
  readonly #dataDir: string;
  readonly #undertaker: Undertaker;
  readonly #pool: Pool;
  #server: EmbeddedPostgres;
  #restarting: Promise<void> | null = null;

  private constructor(dataDir: string, server: EmbeddedPostgres, undertaker: Undertaker) {
    this.#dataDir = dataDir;
    this.#undertaker = undertaker;
    this.#server = server;
    this.#pool = poolFor(server.url);
  }

  /** Starts it on the data below `directory`, new or left by an earlier run; commits are stamped with their instant. */
  static async start(directory: string): Promise<CampaignPostgres> {
    const dataDir = join(directory, 'postgres');
    await mkdir(dataDir, { recursive: true });
    await chmod(dataDir, 0o755); // as root another user runs it
    const server = await launch(dataDir);
    const home = (await notedHome(dataDir)) ?? dataDir;
    const undertaker = standBy(`kill -QUIT "$(head -n 1 '${clusterIn(home)}/postmaster.pid')"`);
    const postgres = new CampaignPostgres(dataDir, server, undertaker);
    const [setting] = await postgres.query<{ on: string }>("SELECT current_setting('track_commit_timestamp') AS on");
    if (setting?.on !== 'on') {
      await postgres.query('ALTER SYSTEM SET track_commit_timestamp = on');
      await postgres.crash();
    }
    return postgres;
  }

  /** Past every proxy. */
  get url(): string {
    return this.#server.url;
  }

  /** Asks until it is answered: it may be just away. Throws what is no matter of connections. */
  async query<Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    for (let tries = 1; ; tries += 1) {
      try {
        return (await this.#pool.query<Row>(sql, [...values])).rows;
      } catch (error) {
        if (tries >= TRIES || !isAway(error)) throw error;
        await this.#restarting;
        await pause(systemClock, AGAIN_MS);
      }
    }
  }

  /** Holds a table against every writer for so long. */
  async lockTable(table: string, ms: number): Promise<void> {
    const client = await this.#pool.connect().catch(() => null);
    if (client === null) return; // it is away
    client.on('error', () => undefined);
    try {
      await client.query('BEGIN');
      await client.query(`LOCK TABLE ${table} IN EXCLUSIVE MODE`);
      await pause(systemClock, ms);
      await client.query('ROLLBACK');
      client.release();
    } catch {
      client.release(true); // it died meanwhile, or others would not give way
    }
  }

  /** Immediate stop, as a power cut would: nothing is written out, everybody is cut off. Resolves when it runs again. */
  crash(): Promise<void> {
    this.#restarting ??= this.#crash().finally(() => {
      this.#restarting = null;
    });
    return this.#restarting;
  }

  /** Stops for good; the data stay. */
  async stop(): Promise<void> {
    await this.#restarting;
    await this.#pool.end();
    await this.#server.stop();
    this.#undertaker.dismiss();
  }

  remove(): Promise<void> {
    return removeEmbeddedPostgres(this.#dataDir);
  }

  async #crash(): Promise<void> {
    const { url } = this.#server;
    const running = await livingServer(clusterIn((await notedHome(this.#dataDir)) ?? this.#dataDir));
    if (running !== null) process.kill(running.process.pid, 'SIGQUIT');
    await this.#server.stop(); // waits until it has ended, and keeps it from coming back by itself
    this.#server = await launch(this.#dataDir);
    if (this.#server.url !== url) throw new Error('PostgreSQL came back on another port');
  }
}

function launch(dataDir: string): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ dataDir, clock: systemClock, durable: false });
}

function poolFor(url: string): Pool {
  const pool = new Pool({ connectionString: url, max: 6, application_name: 'campaign', options: '-c TimeZone=UTC' });
  pool.on('error', () => undefined); // the next query connects anew
  return pool;
}

/** Connections that end, servers that start or stop: classes 08, 53 and 57P of SQLSTATE, and errors without one. */
function isAway(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return !/^[0-9A-Z]{5}$/.test(code) || /^(08|53|57P)/.test(code);
}

const TRIES = 400;
const AGAIN_MS = 50;
