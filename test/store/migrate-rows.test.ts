import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { migrate } from '../../src/store/migrate.ts';
import { emptyDatabase } from '../support/database.ts';
import { ask } from './catalog.ts';

// What becomes of rows that an older version has left.

const NAMES = readdirSync('prisma/migrations').filter((name) => /^\d{14}_/.test(name));

let database: Awaited<ReturnType<typeof emptyDatabase>>;
let url: string;
beforeEach(async () => {
  database = await emptyDatabase();
  url = database.url;
});
afterEach(() => database.drop());

test('steps that were counted are kept by their names, with the day of the last and what they leave of access', async () => {
  await migrateBefore('20261202000010_steps_by_name');
  await ask(
    url,
    `${SUBSCRIBERS}
     INSERT INTO policy_version (id, policy) VALUES ('stepless', '{}'), ('stepped', '{"steps": [{"name": "told", "afterDays": 1},
       {"name": "warned", "afterDays": 3, "access": "grace"}, {"name": "asked", "afterDays": 4}, {"name": "locked", "afterDays": 6, "access": "suspended"}]}');
     INSERT INTO invoice (subscription_id, period_key, period_index, period_start, period_end, due_at, amount, currency, name, state,
                          next_at, failures, policy_version_id, steps_entered)
     SELECT id, '2027-01-0' || n, n, now(), now() + interval '1 month', now(), 9900, 'KRW', 'Coffee', 'retrying', now(), 1,
            CASE WHEN n = 5 THEN 'stepless' ELSE 'stepped' END, CASE WHEN n = 5 THEN 0 ELSE n END
       FROM subscription, generate_series(0, 5) AS n WHERE external_id = 'active'`,
  );
  await migrate(url);
  const steps = await ask(
    url,
    `SELECT entered_steps AS names, step_day AS day, step_access AS access FROM invoice ORDER BY period_index`,
  );
  expect(steps).toEqual([
    { names: [], day: null, access: null },
    { names: ['told'], day: 1, access: null },
    { names: ['told', 'warned'], day: 3, access: 'grace' },
    { names: ['told', 'warned', 'asked'], day: 4, access: 'grace' },
    { names: ['told', 'warned', 'asked', 'locked'], day: 6, access: 'suspended' },
    { names: [], day: null, access: null },
  ]);
});

test('a card that was given during a pause is known as given, and no other', async () => {
  await migrateBefore('20261202000000_registrations');
  await ask(
    url,
    `${SUBSCRIBERS}
     INSERT INTO audit (at, actor, action, subject, reason)
     SELECT at::timestamptz, 'api', action, s.id::text, 'by the API' FROM subscription s JOIN (VALUES
       ('given', '2027-02-03', 'subscription.card_changed'), ('given', '2027-02-04', 'subscription.card_changed'),
       ('before', '2027-01-31', 'subscription.card_changed'), ('active', '2027-02-03', 'subscription.card_changed'),
       ('other', '2027-02-03', 'subscription.plan_changed')) AS said (id, at, action) ON said.id = s.external_id`,
  );
  await migrate(url);
  const given = await ask(url, 'SELECT customer_uid AS card, given_at FROM billing_key ORDER BY customer_uid');
  expect(given).toEqual([
    { card: 'card of active', given_at: null },
    { card: 'card of before', given_at: null },
    { card: 'card of given', given_at: new Date('2027-02-04T00:00:00Z') },
    { card: 'card of other', given_at: null },
  ]);
});

test('what was cancelled to the end of its period ends where its next one would have begun', async () => {
  await migrateBefore('20261202000900_cancel_at');
  await ask(
    url,
    `${SUBSCRIBERS}
     UPDATE subscription SET next_due_at = '2027-02-28T01:00:00Z', cancel_at_period_end = true
      WHERE external_id = 'active';
     UPDATE subscription SET status = 'canceled', canceled_at = '2027-02-03T00:00:00Z', next_due_at = NULL, cancel_at_period_end = true
      WHERE external_id = 'given'`,
  );
  await migrate(url);
  const ends = await ask(url, 'SELECT external_id AS id, cancel_at FROM subscription ORDER BY external_id');
  expect(ends).toEqual([
    { id: 'active', cancel_at: new Date('2027-02-28T01:00:00Z') },
    { id: 'before', cancel_at: null },
    { id: 'given', cancel_at: new Date('2027-02-03T00:00:00Z') },
    { id: 'other', cancel_at: null },
  ]);
});

/** As an older version left it, that knows the migrations before this one. */
async function migrateBefore(first: string): Promise<void> {
  await ask(url, LEDGER);
  for (const name of NAMES.filter((one) => one < first)) {
    const sql = readFileSync(`prisma/migrations/${name}/migration.sql`, 'utf8');
    const checksum = createHash('sha256').update(sql).digest('hex');
    await ask(url, sql);
    await ask(
      url,
      `INSERT INTO _prisma_migrations VALUES (gen_random_uuid()::text, '${checksum}', now(), '${name}', NULL, NULL, now(), 1)`,
    );
  }
}

/** As `migrate` and Prisma make it. */
const LEDGER = `CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64), finished_at timestamptz,
  migration_name varchar(255), logs text, rolled_back_at timestamptz, started_at timestamptz, applied_steps_count integer)`;

/** Three that are paused since 1 February, and one that is not. */
const SUBSCRIBERS = `
SET TimeZone = 'UTC';
INSERT INTO customer (external_id) VALUES ('active'), ('given'), ('before'), ('other');
INSERT INTO billing_key (customer_id, customer_uid) SELECT id, 'card of ' || external_id FROM customer;
INSERT INTO subscription (external_id, customer_id, billing_key_id, name, amount, currency, "interval", interval_count,
                          anchor_local, timezone, status, paused_at, next_period, next_due_at)
SELECT c.external_id, c.id, k.id, 'Coffee', 9900, 'KRW', 'month', 1, '2027-01-31T10:00:00', 'Asia/Seoul',
       CASE c.external_id WHEN 'active' THEN 'active' ELSE 'paused' END, CASE c.external_id WHEN 'active' THEN NULL ELSE timestamptz '2027-02-01' END, 9, now()
  FROM customer c JOIN billing_key k ON k.customer_id = c.id;`;
