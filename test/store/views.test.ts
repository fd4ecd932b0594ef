import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Db } from '../../src/store/db.ts';
import { listInvoices, listSubscriptions } from '../../src/store/views.ts';
import { addInvoice, addSubscription } from '../operator/rows.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

/** The same database, counting the statements that it is asked. */
function counted(db: Db): { db: Db; statements: () => number } {
  let statements = 0;
  const counting = new Proxy(db, {
    get: (target, name) => {
      if (name === '$queryRaw') statements += 1;
      return Reflect.get(target, name);
    },
  });
  return { db: counting, statements: () => statements };
}

test('a page takes two statements at most, however many rows it has', async () => {
  const { id } = await addSubscription(database.db, 'sub-1');
  await addInvoice(database.db, id, { period: '2026-01-01' });
  await database.db.$executeRaw`
    INSERT INTO invoice (subscription_id, period_key, period_index, period_start, period_end, due_at, amount, currency, name,
                         state, reason, policy_version_id)
    SELECT subscription_id, to_char(date '2030-01-01' + n, 'YYYY-MM-DD'), n, period_start, period_end, due_at, amount, currency,
           name, 'void', 'test', policy_version_id
      FROM invoice, generate_series(1, 1100) AS n`;
  const { db, statements } = counted(database.db);
  const page = await listInvoices(db, {}, { limit: 1000, after: null });
  expect(page.rows).toHaveLength(1000);
  expect(statements()).toBe(2);
  expect((await listInvoices(db, {}, { limit: 1000, after: page.next })).rows).toHaveLength(101);
  expect((await listSubscriptions(db, {}, { limit: 1000, after: null })).rows).toHaveLength(1);
  expect(statements()).toBe(5);
});
