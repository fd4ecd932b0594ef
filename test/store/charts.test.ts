import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ATTEMPT_CHART } from '../../src/billing/attempt.ts';
import { INVOICE_CHART } from '../../src/billing/invoice.ts';
import { REFUND_CHART } from '../../src/billing/refund.ts';
import { SUBSCRIPTION_CHART } from '../../src/billing/subscription-status.ts';
import { addCase } from '../operator/rows.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { ask } from './catalog.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
  const { invoiceId } = await addCase(database.db, {}, { state: 'sent', sentAt: '2027-01-31T01:00:00Z' });
  await ask(
    database.url,
    `INSERT INTO observation (imp_uid, merchant_uid, status, learnt_by, raw) VALUES ('imps_1', 'other', 'paid', 'answer', '{}');
     INSERT INTO refund (invoice_id, imp_uid, amount, currency, checksum, reason, requested_by, send_count, sent_at)
     VALUES ('${invoiceId}', 'imps_1', 9900, 'KRW', 9900, 'because', 'a person', 1, maedal_now())`,
  );
});
afterAll(() => database.drop());

const now = (is: boolean) => (is ? 'maedal_now()' : 'NULL');

// What else a row needs in that state, so that nothing but its guard can refuse it.
test.each<[string, string, Readonly<Record<string, readonly string[]>>, (state: string) => string]>([
  [
    'attempt',
    'state',
    ATTEMPT_CHART,
    (state) => `imp_uid = 'imps_1', answered_at = ${now(['paid', 'declined', 'rejected'].includes(state))}`,
  ],
  [
    'invoice',
    'state',
    INVOICE_CHART,
    (state) => `reason = 'because', next_at = ${now(['open', 'retrying'].includes(state))},
                paid_at = ${now(['paid', 'refunded'].includes(state))}`,
  ],
  [
    'refund',
    'state',
    REFUND_CHART,
    (state) => `fail_reason = 'because', next_at = ${now(state === 'sent' || state === 'unknown')}`,
  ],
  ['subscription', 'status', SUBSCRIPTION_CHART, (state) => `canceled_at = ${now(state === 'canceled')}`],
])(
  'the database lets the %s go where its chart says, or stay, and nowhere else',
  async (table, column, chart, rest) => {
    const states = Object.keys(chart);
    expect(await statesOf(table, column)).toEqual([...states].sort());
    for (const from of states) {
      const become = (state: string) => `UPDATE ${table} SET ${column} = '${state}', ${rest(state)}`;
      const open: string[] = [];
      for (const to of states) if (await isOpen(become(from), become(to))) open.push(to);
      expect({ from, to: open.sort() }).toEqual({ from, to: [from, ...(chart[from] ?? [])].sort() });
    }
  },
);

/** Whether the step passes, once the row was put to its start behind the guard's back. Nothing stays changed. */
async function isOpen(start: string, step: string): Promise<boolean> {
  const unguarded = `SET LOCAL session_replication_role = replica; ${start}; SET LOCAL session_replication_role = origin`;
  try {
    await ask(database.url, `BEGIN; ${unguarded}; ${step}; ROLLBACK`);
    return true;
  } catch (error) {
    if (error instanceof Error && / cannot go from /.test(error.message)) return false;
    throw error;
  }
}

/** The states that the table knows at all. */
async function statesOf(table: string, column: string): Promise<string[]> {
  const [row] = await ask(
    database.url,
    `SELECT pg_get_constraintdef(oid) AS is FROM pg_constraint WHERE conname = '${table}_${column}_check'`,
  );
  return [...String(row?.is).matchAll(/'(\w+)'::text/g)].map(([, state]) => state ?? '').sort();
}
