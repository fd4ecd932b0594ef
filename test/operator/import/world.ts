import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DateTime } from 'luxon';
import {
  type ImportDeps,
  type ImportResult,
  importFile,
  type TestCardEntry,
} from '../../../src/operator/import/import-file.ts';
import { ImportError } from '../../../src/operator/import/problems.ts';
import { findTestCard } from '../../../src/sandbox/cards.ts';
import { type Db, openDb } from '../../../src/store/db.ts';
import { freshDatabase } from '../../support/database.ts';

/** A database to import into, with its clock stopped at noon on 10 March 2027 in Seoul. */
export type ImportWorld = {
  readonly db: Db;
  readonly deps: ImportDeps;
  /** Every test card handed to the sandbox, in order. */
  readonly cards: TestCardEntry[];
  setNow(iso: string): Promise<void>;
  /** Writes the text to a file and imports it. */
  import(text: string | Buffer, options?: { dryRun?: boolean; deps?: Partial<ImportDeps> }): Promise<ImportResult>;
  /** The problems an import is refused for, as `line: reason`. */
  refusal(text: string | Buffer, deps?: Partial<ImportDeps>): Promise<string[]>;
  end(): Promise<void>;
};

export async function newImportWorld(): Promise<ImportWorld> {
  const database = await freshDatabase();
  const db = openDb({ url: database.url, who: 'maedal/import', connections: 4, statementTimeoutMs: 0 });
  const folder = await mkdtemp(join(tmpdir(), 'maedal-import-'));
  const cards: TestCardEntry[] = [];
  const deps: ImportDeps = {
    db,
    chargeAt: '10:00',
    timezone: 'Asia/Seoul',
    channels: ['nice'],
    policies: ['default', 'patient'],
    plans: {
      monthly: {
        name: 'Monthly box',
        amount: { minor: 9_900, currency: 'KRW' },
        interval: 'month',
        intervalCount: 1,
        policy: 'gentle',
      },
    },
    sandbox: {
      isTestCard: (card) => findTestCard(card) !== null,
      storeTestCards: async (entries) => {
        cards.push(...entries);
      },
    },
  };
  let files = 0;
  const write = async (text: string | Buffer) => {
    files += 1;
    const path = join(folder, `rows-${files}`);
    await writeFile(path, text);
    return path;
  };
  const run: ImportWorld['import'] = async (text, options = {}) =>
    importFile({ ...deps, ...options.deps }, await write(text), { dryRun: options.dryRun ?? false });
  const setNow = (iso: string) => database.setNow(DateTime.fromISO(iso));
  await setNow('2027-03-10T03:00:00Z');
  return {
    db,
    deps,
    cards,
    setNow,
    import: run,
    refusal: (text, changed = {}) => refusalOf(() => run(text, { deps: changed })),
    end: async () => {
      await db.$disconnect();
      await database.drop();
      await rm(folder, { recursive: true });
    },
  };
}

async function refusalOf(work: () => Promise<unknown>): Promise<string[]> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    return error.problems.map(({ line, reason }) => `${line}: ${reason}`);
  }
  return [];
}

/** The columns of `csv` and a sound row, which each test changes where it looks. */
export const SOUND = {
  subscription_id: 'sub-1',
  customer_id: 'cust-1',
  customer_uid: 'card-1',
  name: 'Coffee',
  amount: '9900',
  currency: 'KRW',
  interval: 'month',
  interval_count: '1',
  anchor_at: '2027-03-01',
  timezone: 'Asia/Seoul',
} as const;

/** CSV text of rows under a header of all their columns; values are quoted where they must be. */
export function csv(...rows: readonly Readonly<Record<string, string>>[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = rows.map((row) => columns.map((column) => quoted(row[column] ?? '')).join(','));
  return `${[columns.join(','), ...lines].join('\n')}\n`;
}

/** The n-th of many sound rows that share nothing. */
export function soundRow(number: number, changes: Readonly<Record<string, string>> = {}): Record<string, string> {
  const own = { subscription_id: `sub-${number}`, customer_id: `cust-${number}`, customer_uid: `card-${number}` };
  return { ...SOUND, ...own, ...changes };
}

function quoted(value: string): string {
  return /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
