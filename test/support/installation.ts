import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../../src/store/migrate.ts';
import { type Accounts, readAccounts } from './accounts.ts';
import { builtMain } from './built.ts';
import { emptyDatabase } from './database.ts';
import { freePort, type Maedal, runMaedal } from './process.ts';

/** The built program in a directory of its own: its configuration, its settings, and the processes that run there. */
export class Installation {
  readonly home: string;
  readonly settings: Record<string, string>;
  readonly #running = new Set<Maedal>();
  readonly #closing: (() => Promise<unknown>)[] = [];

  private constructor(home: string, settings: Record<string, string>) {
    this.home = home;
    this.settings = settings;
  }

  /** Without a database or a sandbox, but for what the settings say. */
  static async open(config: string, settings: Readonly<Record<string, string>> = {}): Promise<Installation> {
    const home = await mkdtemp(join(tmpdir(), 'maedal-installation-'));
    await writeFile(join(home, 'maedal.config.ts'), config);
    const ports = { MAEDAL_PORT: String(await freePort()), MAEDAL_SANDBOX_PORT: String(await freePort()) };
    return new Installation(home, { ...ports, MAEDAL_API_TOKEN: TOKEN, ...settings });
  }

  /** On a database of its own that is migrated, charging at a sandbox of its own that runs. */
  static async withSandbox(config: string, settings: Readonly<Record<string, string>> = {}): Promise<Installation> {
    const installation = await Installation.open(config, settings);
    const database = await emptyDatabase();
    await migrate(database.url);
    installation.#closing.push(() => database.drop());
    Object.assign(installation.settings, { DATABASE_URL: database.url, PORTONE_BASE_URL: installation.sandboxUrl });
    await installation.maedal('sandbox').line(/^sandbox at/);
    return installation;
  }

  get sandboxUrl(): string {
    return `http://127.0.0.1:${this.settings.MAEDAL_SANDBOX_PORT}`;
  }

  maedal(...args: readonly string[]): Maedal {
    return this.maedalWith({}, ...args);
  }

  /** The same with more settings, for this process alone. */
  maedalWith(settings: Readonly<Record<string, string>>, ...args: readonly string[]): Maedal {
    const process = runMaedal(builtMain(), args, { ...this.settings, ...settings }, this.home);
    this.#running.add(process);
    void process.ended.then(() => this.#running.delete(process));
    return process;
  }

  /** Imports subscriptions by these names, with a card each, all due by now. */
  async subscribe(cards: Readonly<Record<string, string>>): Promise<void> {
    const rows = Object.entries(cards).map(
      ([name, card]) => `${name},payer-${name},card-${name},원두,9900,KRW,month,1,2025-01-31,Asia/Seoul,${card}`,
    );
    const file = join(this.home, 'subscribers.csv');
    await writeFile(file, [COLUMNS, ...rows, ''].join('\n'));
    const imported = this.maedal('import', file);
    if ((await imported.ended) !== 0) throw new Error(`the import failed:\n${imported.lines.join('\n')}`);
  }

  /** Both sides' books, by the console that runs. */
  async accounts(): Promise<Accounts> {
    return readAccounts(`http://127.0.0.1:${this.settings.MAEDAL_PORT}`, TOKEN, this.sandboxUrl);
  }

  /** Ends every process that still runs. */
  async stop(): Promise<void> {
    const running = [...this.#running];
    for (const process of running.toReversed()) process.kill('SIGTERM');
    await Promise.all(running.map((process) => process.ended));
  }

  /** Ends what runs, and leaves nothing. */
  async close(): Promise<void> {
    await this.stop();
    for (const close of this.#closing) await close();
    await rm(this.home, { recursive: true, force: true });
  }
}

/** So many subscriptions, numbered from 0, whose cards do the same. */
export function cards(name: string, count: number, card = 'approve'): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`${name}-${index}`, card]));
}

const TOKEN = 'a-token-of-tests-long-enough';
const COLUMNS =
  'subscription_id,customer_id,customer_uid,name,amount,currency,interval,interval_count,anchor_at,timezone,test_card';
