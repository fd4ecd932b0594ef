import { randomUUID } from 'node:crypto';
import type { DateTime } from 'luxon';
import { z } from 'zod';
import type { Schedule } from '../billing/calendar.ts';
import type { Db } from './db.ts';
import { conflicts, staged } from './import-conflicts.ts';
import { instant } from './instant.ts';
import { Prisma } from './prisma/client.ts';

/** A row of a file that is good by itself, on its way in. */
export type StagedRow = {
  /** Where it begins in the file, and what is said after the line in messages. */
  readonly line: number;
  readonly note: string;
  /** The merchant's own id of the subscription. */
  readonly externalId: string;
  readonly customer: {
    readonly id: string;
    readonly name: string | null;
    readonly email: string | null;
    readonly tel: string | null;
  };
  /** `customer_uid`s in order of preference; the first one is charged. */
  readonly keys: readonly string[];
  readonly channel: string;
  /** A test card for the first key; sandbox only. */
  readonly testCard: string | null;
  readonly subscription: NewSubscription;
  /** The row's own words: the same subscription may come in again with the same ones only. */
  readonly imported: Readonly<Record<string, string>>;
};

/** What becomes of a row. `amount` in minor units. */
type NewSubscription = Schedule & {
  readonly plan: string | null;
  readonly name: string;
  readonly amount: number;
  readonly currency: string;
  readonly trialUntil: DateTime | null;
  readonly endsAfter: number | null;
  readonly billedThrough: DateTime | null;
  readonly policy: string;
  readonly status: 'trialing' | 'active';
  readonly firstPeriod: number;
  readonly nextPeriod: number;
  readonly nextDueAt: DateTime;
};

/** What an import did, or would do: subscriptions imported, those that were there already, new customers. */
export type ImportCounts = { readonly imported: number; readonly unchanged: number; readonly customers: number };

/** An import that has begun: its rows in `import_row`, and the database's clock, which all its rows are read by. */
export type Import = { readonly id: string; readonly now: DateTime };

/** Begins an import, and forgets what imports that died left behind a day ago. */
export async function beginImport(db: Db): Promise<Import> {
  await db.$executeRaw`DELETE FROM import_row WHERE created_at < maedal_now() - interval '1 day'`;
  const [row] = await db.$queryRaw<{ now: Date }[]>`SELECT maedal_now() AS now`;
  if (row === undefined) throw new Error('SELECT returned no row');
  return { id: randomUUID(), now: instant(row.now) };
}

/** Lays rows beside those staged before; `serial` is the number of the first one, from 1, and rises with the file. */
export async function stageRows(db: Db, importId: string, serial: number, rows: readonly StagedRow[]): Promise<void> {
  if (rows.length === 0) return;
  const input = rows.map(({ externalId, ...fields }, index) => ({
    line: serial + index,
    external_id: externalId,
    fields,
  }));
  await db.$executeRaw`
    INSERT INTO import_row (import_id, line, external_id, fields)
    SELECT ${importId}::uuid, line, external_id, fields
      FROM jsonb_to_recordset(${JSON.stringify(input)}::jsonb) AS input (line integer, external_id text, fields jsonb)`;
}

/** Says that all rows are staged: what asks about them is then planned for as many as there are. */
export async function endStaging(db: Db): Promise<void> {
  // Statistics taken during another import say that this one has a row at most: each row is then compared with each.
  await db.$executeRaw`ANALYZE import_row`;
}

/** Forgets the staged rows of an import. */
export async function forgetImport(db: Db, importId: string): Promise<void> {
  await db.$executeRaw`DELETE FROM import_row WHERE import_id = ${importId}::uuid`;
}

/**
 * What the staged rows say against each other and against the database: the first `limit` problems in the order of the
 * file, and how many there are.
 */
export async function findConflicts(
  db: Db,
  importId: string,
  limit: number,
): Promise<{ problems: { line: number; reason: string }[]; total: number }> {
  const rows = await db.$queryRaw<{ line: number; reason: string; total: number }[]>`
    WITH ${conflicts(importId)}
    SELECT at AS line, reason || note AS reason, count(*) OVER ()::float8 AS total
      FROM conflict ORDER BY line, reason LIMIT ${limit}`;
  return { problems: rows.map(({ line, reason }) => ({ line, reason })), total: rows[0]?.total ?? 0 };
}

/** What `finishImport` would do. */
export async function previewImport(db: Db, importId: string): Promise<ImportCounts> {
  const [counts] = await db.$queryRaw<ImportCounts[]>`
    WITH ${staged(importId)}
    SELECT (SELECT count(*) FROM fresh)::float8 AS imported,
           (SELECT count(*) FROM staged)::float8 - (SELECT count(*) FROM fresh)::float8 AS unchanged,
           (SELECT count(DISTINCT customer) FROM fresh
             WHERE NOT EXISTS (SELECT FROM customer c WHERE c.external_id = fresh.customer))::float8 AS customers`;
  if (counts === undefined) throw new Error('SELECT returned no row');
  return counts;
}

/** Up to `limit` test cards of new subscriptions, in the order of the file from behind `afterSerial`. */
export async function stagedTestCards(
  db: Db,
  importId: string,
  afterSerial: number,
  limit: number,
): Promise<{ serial: number; customerUid: string; card: string }[]> {
  return db.$queryRaw`
    SELECT line AS serial, fields -> 'keys' ->> 0 AS "customerUid", fields ->> 'testCard' AS card
      FROM import_row r
     WHERE import_id = ${importId}::uuid AND line > ${afterSerial} AND fields ->> 'testCard' IS NOT NULL
       AND NOT EXISTS (SELECT FROM subscription s WHERE s.external_id = r.external_id)
     ORDER BY line LIMIT ${limit}`;
}

/**
 * Moves all staged rows in, with their customers and billing keys, or none of them: one statement. Null when something
 * conflicts with what is staged, or came in from elsewhere meanwhile: ask `findConflicts`, then again. The staged rows
 * are gone when it has succeeded. Throws unless all `rows` are still staged: a crash of Postgres empties their table.
 */
export async function finishImport(db: Db, importId: string, rows: number): Promise<ImportCounts | null> {
  try {
    const [outcome] = await db.$queryRaw<(ImportCounts & { conflicts: boolean; whole: boolean })[]>(
      moveIn(importId, rows),
    );
    if (outcome?.whole === false) {
      throw new Error('rows laid ready for this import are gone: the database was restarted meanwhile; import again');
    }
    if (outcome === undefined || outcome.conflicts) return null;
    const { imported, unchanged, customers } = outcome;
    return { imported, unchanged, customers };
  } catch (error) {
    if (lostARace(error)) return null;
    throw error;
  }
}

function moveIn(importId: string, rows: number): Prisma.Sql {
  return Prisma.sql`
    WITH ${conflicts(importId)},
    whole AS MATERIALIZED (
      SELECT count(*) = ${rows} AS is_whole FROM import_row WHERE import_id = ${importId}::uuid
    ),
    good AS MATERIALIZED (
      SELECT fresh.*, v.* FROM fresh, jsonb_to_record(fields -> 'subscription') AS v (
        plan text, name text, amount bigint, currency text, "interval" text, "intervalCount" integer, "anchorLocal" text,
        timezone text, "trialUntil" timestamptz, "endsAfter" integer, "billedThrough" timestamptz, policy text, status text,
        "firstPeriod" integer, "nextPeriod" integer, "nextDueAt" timestamptz)
       WHERE NOT EXISTS (SELECT FROM conflict) AND (SELECT is_whole FROM whole)
    ), payer AS (
      INSERT INTO customer (external_id, name, email, tel)
      SELECT customer, max(fields -> 'customer' ->> 'name'), max(fields -> 'customer' ->> 'email'), max(fields -> 'customer' ->> 'tel')
        FROM good GROUP BY customer ORDER BY customer
      ON CONFLICT (external_id) DO UPDATE SET name = coalesce(customer.name, excluded.name),
        email = coalesce(customer.email, excluded.email), tel = coalesce(customer.tel, excluded.tel)
      RETURNING id, external_id, (xmax = 0) AS is_new
    ), key AS MATERIALIZED (
      SELECT DISTINCT ON (uid) uid, good.customer, channel, place::integer - 1 AS preference
        FROM good JOIN holding USING (line) ORDER BY uid, place, line
    ), new_key AS (
      INSERT INTO billing_key (customer_id, customer_uid, channel, preference)
      SELECT payer.id, key.uid, key.channel, key.preference FROM key JOIN payer ON payer.external_id = key.customer
       WHERE NOT EXISTS (SELECT FROM billing_key k WHERE k.customer_uid = key.uid) ORDER BY key.uid
      RETURNING id, customer_uid
    ), any_key AS (
      SELECT id, customer_uid FROM new_key
      UNION ALL SELECT k.id, k.customer_uid FROM billing_key k JOIN key ON key.uid = k.customer_uid
    ), moved AS (
      INSERT INTO subscription (external_id, customer_id, billing_key_id, plan, name, amount, currency, "interval",
        interval_count, anchor_local, timezone, trial_until, ends_after, billed_through, channel, policy, status,
        first_period, next_period, next_due_at, imported)
      SELECT good.external_id, payer.id, any_key.id, plan, name, amount, currency, "interval", "intervalCount",
             "anchorLocal", timezone, "trialUntil", "endsAfter", "billedThrough", channel, policy, status,
             "firstPeriod", "nextPeriod", "nextDueAt", good.fields -> 'imported'
        FROM good JOIN payer ON payer.external_id = good.customer JOIN any_key ON any_key.customer_uid = good.first_uid
       ORDER BY good.external_id
      RETURNING 1
    ), gone AS (
      DELETE FROM import_row WHERE import_id = ${importId}::uuid AND NOT EXISTS (SELECT FROM conflict)
    )
    SELECT (SELECT count(*) FROM moved)::float8 AS imported,
           (SELECT count(*) FROM staged)::float8 - (SELECT count(*) FROM moved)::float8 AS unchanged,
           (SELECT count(*) FROM payer WHERE is_new)::float8 AS customers, EXISTS (SELECT FROM conflict) AS conflicts,
           (SELECT is_whole FROM whole) AS whole`;
}

/** Somebody else's import put the same rows in first, or ours and theirs waited for each other (Prisma 7.10's kinds). */
function lostARace(error: unknown): boolean {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false;
  const meta = ADAPTER_ERROR.safeParse(error.meta);
  return meta.success && LOST.has(meta.data.driverAdapterError.cause.kind);
}

const ADAPTER_ERROR = z.object({ driverAdapterError: z.object({ cause: z.object({ kind: z.string() }) }) });
const LOST: ReadonlySet<string> = new Set(['UniqueConstraintViolation', 'TransactionWriteConflict']);
