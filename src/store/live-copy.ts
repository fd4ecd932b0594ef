import type { DateTime } from 'luxon';
import { Client } from 'pg';
import { instant } from './instant.ts';

/**
 * Copies what is still to be charged from one database into an empty one of the same version: subscriptions with their
 * payers, the invoices that are not at their end, and those tried within a day, for what was missed keeps its distance
 * from them. The first is read in one transaction that cannot write. What waits for a look at the gateway is left out,
 * for another gateway does not know it.
 */
export async function copyWhatIsOwed(from: string, to: string): Promise<void> {
  await connected(from, '-c default_transaction_read_only=on', async (live) => {
    await live.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await connected(to, '-c session_replication_role=replica', async (copy) => {
      for (const [table, rows] of TABLES) await copyTable(live, copy, table, rows);
      await copy.query(SETTLE);
    });
    await live.query('COMMIT');
  });
}

/** The instant by the database's clock, and why nothing is sent just now; null where charges may leave. */
export type LiveStanding = { readonly now: DateTime; readonly switchedOff: string | null };

export async function readLiveStanding(url: string): Promise<LiveStanding> {
  return connected(url, '-c default_transaction_read_only=on', async (live) => {
    const { rows } = await live.query<{ now: Date; off: string | null }>(
      `SELECT maedal_now() AS now, CASE WHEN NOT sending_enabled THEN coalesce(sending_reason, 'no reason given') END AS off FROM control`,
    );
    if (rows[0] === undefined) throw new Error('the database has no row in control');
    return { now: instant(rows[0].now), switchedOff: rows[0].off };
  });
}

async function copyTable(live: Client, copy: Client, table: string, rows: string): Promise<void> {
  await live.query(`DECLARE rows CURSOR FOR SELECT to_jsonb(t) AS row FROM (${rows}) t`);
  for (;;) {
    const batch = await live.query<{ row: unknown }>(`FETCH ${BATCH} FROM rows`);
    if (batch.rows.length > 0) {
      const json = JSON.stringify(batch.rows.map(({ row }) => row));
      // Numbers of its own, in the same order: what the copy writes goes on from them.
      await copy.query(
        `INSERT INTO ${table} OVERRIDING USER VALUE SELECT (jsonb_populate_recordset(NULL::${table}, $1)).*`,
        [json],
      );
    }
    if (batch.rows.length < BATCH) break;
  }
  await live.query('CLOSE rows');
}

async function connected<Result>(
  url: string,
  options: string,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new Client({
    connectionString: url,
    application_name: 'maedal/forecast',
    connectionTimeoutMillis: 10_000,
    options: `-c TimeZone=UTC ${options}`,
  });
  client.on('error', () => undefined); // the query in hand rejects with the same
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const ENDED = `('paid', 'refunded', 'waived', 'void')`;
const OWED = `SELECT id FROM invoice WHERE state NOT IN ${ENDED}`;
const SENT = `SELECT merchant_uid FROM attempt WHERE invoice_id IN (${OWED})`;
/** Tables and the rows of each. What the gateway has shown is left out: another one does not find it when it is asked. */
const TABLES: readonly (readonly [table: string, rows: string])[] = [
  ['customer', 'SELECT * FROM customer'],
  ['billing_key', 'SELECT * FROM billing_key'],
  ['policy_version', 'SELECT * FROM policy_version'],
  ['subscription', 'SELECT * FROM subscription'],
  ['invoice', `SELECT * FROM invoice WHERE id IN (${OWED}) OR last_attempt_at > maedal_now() - interval '24 hours'`],
  ['attempt', `SELECT * FROM attempt WHERE invoice_id IN (${OWED})`],
  ['history', `SELECT * FROM history WHERE entity = 'invoice' AND entity_id IN (${OWED}) ORDER BY id`],
  [
    'audit',
    `SELECT * FROM audit WHERE subject IN (SELECT id::text FROM invoice WHERE state NOT IN ${ENDED}) ORDER BY id`,
  ],
  [
    'observation',
    `SELECT * FROM observation WHERE status = 'paid' AND account_at IS NOT NULL AND merchant_uid IN (${SENT})`,
  ],
];
/**
 * What the gateway is to be asked, or does by itself, is of the live one; what lives was due when its invoice is; what
 * ended there is not listed here, however late.
 */
const SETTLE = `
UPDATE invoice SET created_at = '-infinity' WHERE state IN ${ENDED};
UPDATE invoice SET watch_at = NULL WHERE watch_at IS NOT NULL;
UPDATE attempt SET unanswered_at = NULL WHERE unanswered_at IS NOT NULL;
UPDATE billing_key SET hold_reason = NULL WHERE hold_reason IS NOT NULL;
INSERT INTO simulated_due SELECT a.id, i.next_at FROM attempt a JOIN invoice i ON i.id = a.invoice_id
 WHERE a.state IN ('prepared', 'sent', 'unknown') AND i.state IN ('open', 'retrying')`;
const BATCH = 1_000;
