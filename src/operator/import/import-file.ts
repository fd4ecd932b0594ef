import { basename } from 'node:path';
import type { Db } from '../../store/db.ts';
import {
  beginImport,
  endStaging,
  findConflicts,
  finishImport,
  forgetImport,
  type Import,
  previewImport,
  type StagedRow,
  stagedTestCards,
  stageRows,
} from '../../store/import.ts';
import type { SourceRow } from './columns.ts';
import { MAX_SHOWN, ProblemList } from './problems.ts';
import { type RowSettings, readRow } from './row.ts';
import { readRows } from './source.ts';

/** A test card to be stored under a `customer_uid` at the sandbox; `card` is its name or number. */
export type TestCardEntry = { readonly customerUid: string; readonly card: string };

export type ImportDeps = Omit<RowSettings, 'isTestCard'> & {
  /** Opened without a limit on statements: the last one moves every row. */
  readonly db: Db;
  /** The sandbox that test cards are stored at; null where the gateway is none, and `test_card` is refused. */
  readonly sandbox: {
    /** Whether there is a test card of this name or number. */
    readonly isTestCard: (card: string) => boolean;
    readonly storeTestCards: (entries: readonly TestCardEntry[]) => Promise<void>;
  } | null;
};

/** What came of an import: subscriptions imported, those that were there already with the same values, new customers. */
export type ImportResult = { readonly imported: number; readonly unchanged: number; readonly customers: number };

/**
 * Imports subscriptions from a CSV, JSON or JSON Lines file: all of them or, when one row is bad, none. The same file
 * may be imported again, by several at once: what is there already is `unchanged`, and never changed. A dry run finds
 * the same problems and moves nothing. Throws ImportError naming rows, InputError when the file cannot be read.
 */
export async function importFile(
  deps: ImportDeps,
  path: string,
  { dryRun }: { readonly dryRun: boolean },
): Promise<ImportResult> {
  return importRows(deps, { name: basename(path), rows: readRows(path) }, { dryRun });
}

/** Where rows come from, and what messages call it. */
type Source = { readonly name: string; readonly rows: AsyncIterable<SourceRow> | Iterable<SourceRow> };

/** The same from wherever rows come. */
export async function importRows(
  deps: ImportDeps,
  source: Source,
  { dryRun }: { readonly dryRun: boolean },
): Promise<ImportResult> {
  const run = await beginImport(deps.db);
  try {
    const rows = await stage(deps, run, source);
    if (!dryRun) return await moveIn(deps, run, rows, source.name);
    const preview = await previewImport(deps.db, run.id);
    await forgetImport(deps.db, run.id);
    return preview;
  } catch (error) {
    // The reason matters more than a failure to clean up; the next import sweeps.
    await forgetImport(deps.db, run.id).catch(() => undefined);
    throw error;
  }
}

/** Stages every good row in batches, so that memory is bounded, and refuses the source when any row is bad. Returns how many. */
async function stage(deps: ImportDeps, run: Import, { name, rows }: Source): Promise<number> {
  const problems = new ProblemList();
  const settings = { ...deps, isTestCard: deps.sandbox?.isTestCard ?? null };
  let batch: StagedRow[] = [];
  let serial = 1;
  const flush = async () => {
    await stageRows(deps.db, run.id, serial, batch);
    serial += batch.length;
    batch = [];
  };
  for await (const source of rows) {
    if (source.kind === 'problem') {
      problems.add(source.line, source.reason);
      continue;
    }
    const reading = readRow(source.cells, settings, run.now);
    if (reading.kind === 'bad') for (const reason of reading.problems) problems.add(source.line, reason + source.note);
    else batch.push({ line: source.line, note: source.note, ...reading.row });
    if (batch.length === BATCH) await flush();
  }
  await flush();
  await endStaging(deps.db);
  const conflicts = await findConflicts(deps.db, run.id, MAX_SHOWN);
  problems.addAll(conflicts.problems, conflicts.total);
  problems.refuse(name);
  return serial - 1;
}

async function moveIn(deps: ImportDeps, run: Import, rows: number, name: string): Promise<ImportResult> {
  await storeTestCards(deps, run);
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const result = await finishImport(deps.db, run.id, rows);
    if (result !== null) return result;
    // Something came in from elsewhere meanwhile: either it is the same, or there is a conflict to tell.
    const problems = new ProblemList();
    const conflicts = await findConflicts(deps.db, run.id, MAX_SHOWN);
    problems.addAll(conflicts.problems, conflicts.total);
    problems.refuse(name);
  }
  throw new Error(`other imports were in the way ${MAX_TRIES} times; nothing was imported, import again`);
}

/** Before the rows move: a subscription whose card is missing at the sandbox would be declined, one too many harms nobody. */
async function storeTestCards({ db, sandbox }: ImportDeps, run: Import): Promise<void> {
  if (sandbox === null) return;
  for (let after = 0; ; ) {
    const cards = await stagedTestCards(db, run.id, after, CARDS);
    if (cards.length > 0) await sandbox.storeTestCards(cards.map(({ customerUid, card }) => ({ customerUid, card })));
    const last = cards.at(-1);
    if (last === undefined || cards.length < CARDS) return;
    after = last.serial;
  }
}

/** Rows a statement. Prisma 7.10 keeps the parameters of its last 100 statements, so larger ones fill the memory. */
const BATCH = 100;
/** Test cards a request: as many as the sandbox takes. */
const CARDS = 1_000;
const MAX_TRIES = 5;
