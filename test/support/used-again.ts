import { afterAll } from '@jest/globals';
import type { Db } from '../../src/store/db.ts';

/** A database whose rows can be taken away, so that the next test has it as new, its connections warm. */
export type Resettable = {
  readonly url: string;
  readonly db: Db;
  /** Whether it is as new now; not where a test changed more than rows, or left something running in it. */
  reset(): Promise<boolean>;
  drop(): Promise<void>;
};

/**
 * The databases that the tests of one file are done with, for its next tests: to make one takes half a second, and its
 * first statements as long again. They are dropped at the end of the file.
 */
export function databasesUsedAgain() {
  const free = new Map<string, Resettable[]>();
  afterAll(async () => {
    for (const database of [...free.values()].flat()) await database.drop();
    free.clear();
  });
  return {
    take: (who: string): Resettable | undefined => free.get(who)?.pop(),
    give: async (who: string, database: Resettable): Promise<void> => {
      if (!(await database.reset())) return database.drop();
      free.set(who, [...(free.get(who) ?? []), database]);
    },
  };
}

/** Notes how a new database looks, to tell later whether a test changed more than its rows. `who` names its sessions. */
export async function resettable(database: Omit<Resettable, 'reset'>, who: string): Promise<Resettable> {
  const { db } = database;
  const [made] = await db.$queryRawUnsafe<{ shape: string; filled: string }[]>(
    `SELECT ${SHAPE} AS shape, ${FILLED} AS filled`,
  );
  if (made?.filled !== FILLED_AGAIN.join()) {
    throw new Error(`a new database has rows in ${made?.filled}, and not in ${FILLED_AGAIN}; name its tables there`);
  }
  const emptied = emptying(made.shape, who);
  const reset = () =>
    db.$executeRawUnsafe(emptied).then(
      () => true,
      () => false,
    );
  return { ...database, reset };
}

/** What the migrations leave a row in, each of them its defaults; the clock of the tests goes first, others read it. */
const FILLED_AGAIN = ['test_clock', 'control', 'event_turn'];

const FILLED = `(SELECT string_agg(name, ',' ORDER BY array_position('{${FILLED_AGAIN}}', name))
  FROM (SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r') AS t
  WHERE name <> '_prisma_migrations'
    AND (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I', name), false, true, '')))[1]::text <> '0')`;

/** Tables, columns' defaults, rules, functions and settings: each change of one writes its row in the catalog anew. */
const SHAPE = `(SELECT md5(string_agg(one, ',' ORDER BY one)) FROM (
  SELECT 'class ' || oid || ' ' || xmin AS one FROM pg_class WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT 'default ' || oid || ' ' || xmin FROM pg_attrdef
  UNION ALL SELECT 'constraint ' || oid || ' ' || xmin FROM pg_constraint
  UNION ALL SELECT 'trigger ' || oid || ' ' || xmin FROM pg_trigger
  UNION ALL SELECT 'event trigger ' || oid || ' ' || xmin FROM pg_event_trigger
  UNION ALL SELECT 'function ' || oid || ' ' || xmin FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT 'schema ' || oid || ' ' || xmin FROM pg_namespace WHERE nspname NOT LIKE 'pg_%temp%'
  UNION ALL SELECT 'database ' || oid || ' ' || xmin FROM pg_database WHERE datname = current_database()
  UNION ALL SELECT 'settings ' || setdatabase || ' ' || xmin FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())) AS shape)`;

/** Others are cut off, as DROP DATABASE would cut them off; a session of the test's own that is still at work is not waited for. */
function emptying(shape: string, who: string): string {
  return `DO $$
DECLARE
  of record;
  others CONSTANT text := 'client backend';
BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = others AND application_name <> '${who}';
  ASSERT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND backend_type = others
    AND application_name = '${who}' AND pid <> pg_backend_pid() AND state <> 'idle'), 'a session is at work';
  ASSERT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())), 'something is locked';
  ASSERT ${SHAPE} = '${shape}', 'more than rows was changed';
  SET LOCAL session_replication_role = replica; -- so that no trigger refuses it
  FOR of IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
    IF of.relname <> '_prisma_migrations' THEN EXECUTE format('DELETE FROM %I', of.relname); END IF;
  END LOOP;
  SET LOCAL session_replication_role = origin;
  ${FILLED_AGAIN.map((table) => `INSERT INTO ${table} DEFAULT VALUES;`).join(' ')}
  PERFORM setval(oid, 1, false) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S';
END $$`;
}
