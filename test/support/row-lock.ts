import { Client } from 'pg';

/** A lock on rows, held by a connection of its own, as another process would hold it. */
export type RowLock = {
  /** Resolves when so many statements wait for it. */
  waitedForBy(count: number): Promise<void>;
  /** Runs a statement in the transaction that holds it. */
  also(sql: string): Promise<void>;
  /** Commits, and lets the others go on. */
  release(): Promise<void>;
};

/** Locks what `sql` selects for update, in the database at `url`. */
export async function lockRows(url: string, sql: string): Promise<RowLock> {
  const [holder, watcher] = [new Client({ connectionString: url }), new Client({ connectionString: url })];
  await Promise.all([holder.connect(), watcher.connect()]);
  await holder.query('BEGIN');
  await holder.query(sql);
  return {
    waitedForBy: async (count) => {
      await watcher.query(`DO $$ BEGIN
        WHILE (SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()) < ${count} LOOP
          PERFORM pg_sleep(0.005), pg_stat_clear_snapshot();
        END LOOP;
      END $$`);
    },
    also: async (statement) => void (await holder.query(statement)),
    release: async () => {
      await holder.query('COMMIT');
      await Promise.all([holder.end(), watcher.end()]);
    },
  };
}
