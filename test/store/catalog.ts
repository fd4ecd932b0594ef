import { Client } from 'pg';

/** Runs one statement, or several without parameters, on a connection of its own. */
export async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const result = await client.query<Record<string, unknown>>(sql);
    return result.rows ?? [];
  } finally {
    await client.end();
  }
}

/** Columns by table: name, type, whether null is refused, and the default. Prisma's own table apart. */
export function columns(url: string): Promise<Record<string, unknown>[]> {
  return ask(
    url,
    `SELECT c.relname AS table, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type,
            a.attnotnull AS required, pg_get_expr(d.adbin, d.adrelid) AS default, a.attidentity AS identity
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r' AND ${OURS}
       LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2`,
  );
}

/** What protects the rows, as PostgreSQL itself writes it down. */
export async function protections(url: string): Promise<Record<string, unknown>> {
  const inOurs = `IN (SELECT c.oid FROM pg_class c WHERE ${OURS})`;
  const [constraints, indexes, triggers, functions] = await Promise.all([
    ask(
      url,
      `SELECT conrelid::regclass::text AS table, conname AS name, pg_get_constraintdef(oid) AS is
         FROM pg_constraint WHERE conrelid ${inOurs} ORDER BY 1, 2`,
    ),
    ask(
      url,
      `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS is FROM pg_index WHERE indrelid ${inOurs} ORDER BY 1`,
    ),
    ask(
      url,
      `SELECT tgname AS name, pg_get_triggerdef(oid) AS is FROM pg_trigger WHERE tgrelid ${inOurs} AND NOT tgisinternal ORDER BY 1`,
    ),
    ask(
      url,
      `SELECT proname AS name, pg_get_functiondef(oid) AS is FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1`,
    ),
  ]);
  return { constraints, indexes, triggers, functions };
}

/** Keys as sets of columns, whether they are constraints or plain unique indexes; and where references lead. */
export async function keys(url: string): Promise<Record<string, unknown>> {
  const [unique, references] = await Promise.all([
    ask(
      url,
      `SELECT i.indrelid::regclass::text AS table, i.indisprimary AS primary,
              (SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_attribute a
                WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)) AS columns
         FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid AND ${OURS}
        WHERE i.indisunique AND i.indpred IS NULL ORDER BY 1, 2, 3`,
    ),
    ask(
      url,
      `SELECT conrelid::regclass::text AS table, pg_get_constraintdef(oid) AS is FROM pg_constraint
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY 1, 2`,
    ),
  ]);
  return { unique, references };
}

const OURS = `c.relnamespace = 'public'::regnamespace AND c.relname <> '_prisma_migrations'`;
