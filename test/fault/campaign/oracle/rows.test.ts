import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import type { Entry } from '../../../../src/sandbox/entry.ts';
import { lateWatch } from '../../../../src/scheduler/late-watch.ts';
import { auditAtBoot } from '../../../support/audits.ts';
import { invoiceOf, newWorld, type World } from '../../../support/world.ts';
import { Orders } from '../orders.ts';
import type { Asked } from '../postgres.ts';
import { judgeEnds } from './ends.ts';
import { booksOf, givenBack, paid } from './entries.ts';
import { judgeHistory } from './history.ts';

// An oracle that finds nothing is worth nothing: each of its rules is broken here once.

let world: World;
let client: pg.Client;
let asked: Asked;
beforeEach(async () => {
  world = await newWorld();
  client = new pg.Client({ connectionString: world.database.url });
  await client.connect();
  asked = { query: async (sql, values = []) => (await client.query(sql, [...values])).rows };
  await world.subscribe({ externalId: 'sub-1' });
  await world.run();
});
afterEach(async () => {
  await client.end();
  await world.end();
});

/** The gateway's side of what the world did. */
async function books(subscription = 'sub-1'): Promise<Entry[]> {
  const { period_key: period, attempts } = await invoiceOf(world, subscription);
  const customData = JSON.stringify({ subscription, period });
  return attempts.map(({ imp_uid, merchant_uid: merchantUid }) => paid(imp_uid ?? '', { merchantUid, customData }));
}

test.each<[string, string | null, (entries: Entry[]) => Entry[], readonly string[]]>([
  ['paid once', null, (entries) => entries, []],
  ['paid, and the gateway knows nothing of it', null, () => [], ['I3']],
  ['captured once more than it is paid', null, (entries) => [...entries, ...entries.map(again)], ['I1', 'I3']],
  ['paid by another payment', null, (entries) => entries.map(again), ['I3']],
  ['captured, and not told', `DELETE FROM outbox WHERE kind = 'invoice.paid'`, (entries) => entries, ['I10']],
  [
    'captured, and its invoice void',
    `UPDATE invoice SET state = 'void', reason = 'because', paid_at = NULL`,
    (entries) => entries,
    ['I3', 'I2'],
  ],
  [
    'void, and nobody ordered it',
    `UPDATE invoice SET state = 'void', reason = 'because', paid_at = NULL`,
    () => [],
    ['I2'],
  ],
  [
    'held, though every pause is over',
    `UPDATE invoice SET state = 'held', reason = 'because', paid_at = NULL`,
    () => [],
    ['I2'],
  ],
  [
    'with a person for no cause',
    `UPDATE invoice SET state = 'review', reason = 'because', paid_at = NULL`,
    (entries) => entries,
    ['I2'],
  ],
  [
    'captured, and given up',
    `UPDATE invoice SET state = 'uncollectible', reason = 'because', paid_at = NULL`,
    (entries) => entries,
    ['I3', 'I2', 'I10'],
  ],
  [
    'open',
    `UPDATE invoice SET state = 'open', paid_at = NULL, next_at = maedal_now()`,
    (entries) => entries,
    ['I4', 'I2'],
  ],
])('after all has come to rest: a period that is %s', async (_, sql, altered, broken) => {
  const gateway = booksOf(altered(await books()));
  if (sql !== null) await unguarded(sql);
  const { violations } = await judgeEnds(asked, gateway, new Orders(null), 1);
  expect(violations.map(({ invariant }) => invariant)).toEqual(broken);
});

test.each([
  ['cancel', 'sub-1', []],
  ['void', 'sub-1 2027-01-31', []],
  ['void', 'sub-1 2027-02-28', ['I2']],
  ['cancel', 'sub-2', ['I2']],
  ['cancel at period end', 'sub-1', ['I2']],
  ['pause', 'sub-1', ['I2']],
] as const)('a period that is void after somebody ordered to %s %s', async (kind, subject, broken) => {
  await unguarded(`UPDATE invoice SET state = 'void', reason = 'because', paid_at = NULL`);
  const orders = new Orders(null);
  await orders.give(kind, subject, async () => false); // nobody heard whether it was done
  const { violations } = await judgeEnds(asked, booksOf([]), orders, 1);
  expect(violations.map(({ invariant }) => invariant)).toEqual(broken);
});

test.each<[string, string, 'refund' | 'cancel' | null, readonly string[]]>([
  ['at a person’s word', 'cli', 'refund', []],
  ['at the word of a person who never gave it', 'cli', null, ['I3']],
  ['by maedal itself, though nobody had ended it', 'maedal', null, ['I3', 'I3']],
  ['by maedal itself, after somebody had asked for a refund', 'maedal', 'refund', ['I3']],
])('the only capture of a period is given back %s', async (_, by, ordered, broken) => {
  const entries = await books();
  const impUid = entries.map((entry) => (entry.kind === 'payment' ? entry.payment.impUid : '')).join();
  await unguarded(`UPDATE invoice SET state = 'refunded', reason = 'because'`);
  await unguarded(`INSERT INTO refund (invoice_id, imp_uid, amount, currency, checksum, reason, requested_by, state)
    SELECT id, '${impUid}', amount, currency, amount, 'because', '${by}', 'done' FROM invoice`);
  const orders = new Orders(null);
  if (ordered !== null) await orders.give(ordered, 'sub-1 2027-01-31', async () => true);
  const { violations } = await judgeEnds(asked, booksOf([...entries, givenBack(impUid)]), orders, 1);
  expect(violations.map(({ invariant }) => invariant)).toEqual(broken);
});

test('a period whose only capture maedal gave back is not with a person for a cause of the gateway’s', async () => {
  const entries = await books();
  const impUid = entries.map((entry) => (entry.kind === 'payment' ? entry.payment.impUid : '')).join();
  await unguarded(`UPDATE invoice SET state = 'review', reason = 'because', paid_at = NULL`);
  const { violations } = await judgeEnds(asked, booksOf([...entries, givenBack(impUid)]), new Orders(null), 1);
  expect(violations.map(({ invariant }) => invariant)).toEqual(['I2']);
});

test.each([
  ['', []],
  [', and nobody was told that it had gone', ['I10']],
] as const)(
  'a payment that the gateway did not show for a while pays its period once more%s',
  async (untold, broken) => {
    await world.subscribe({ externalId: 'sub-2' });
    await world.run();
    const entries = [...(await books()), ...(await books('sub-2'))];
    const { attempts } = await invoiceOf(world, 'sub-1');
    const at = world.gateway.records.findIndex(({ impUid }) => impUid === attempts[0]?.imp_uid);
    const hidden = world.gateway.records.splice(at, 1);
    await world.advance({ minutes: 61 });
    expect(await auditAtBoot(world)).toMatchObject({ counts: { missing: 1 } });
    world.gateway.records.push(...hidden);
    await world.advance({ days: 1, minutes: 1 });
    await lateWatch(world.scheduler);
    await world.run();
    if (untold !== '') await unguarded(`DELETE FROM outbox WHERE kind = 'invoice.needs_review'`);
    const { counts, violations } = await judgeEnds(asked, booksOf(entries), new Orders(null), 2);
    expect(counts).toEqual({ paid: 2 });
    expect(violations.map(({ invariant }) => invariant)).toEqual(broken);
  },
);

test('a period that nobody drew up is missed', async () => {
  const { violations } = await judgeEnds(asked, booksOf(await books()), new Orders(null), 2);
  expect(violations.map(({ invariant, what }) => [invariant, what])).toEqual([
    ['I2', '2 subscriptions became due, 1 have an invoice, 1 in all'],
  ]);
});

test.each<[string, string | null, readonly string[]]>([
  ['whole', null, []],
  ['with a step left out', `DELETE FROM history WHERE to_state = 'sent'`, ['I11']],
  ['with a step off the chart', `UPDATE history SET to_state = 'rejected' WHERE to_state = 'sent'`, ['I11', 'I11']],
  ['that ends elsewhere', `DELETE FROM history WHERE to_state = 'paid' AND entity = 'attempt'`, ['I11']],
])('a history %s', async (_, sql, broken) => {
  if (sql !== null) await unguarded(sql);
  const violations = await judgeHistory(asked, booksOf(await books()));
  expect(violations.map(({ invariant }) => invariant)).toEqual(broken);
});

function again(entry: Entry): Entry {
  return entry.kind === 'payment' ? paid('imps_again', { ...entry.payment, impUid: 'imps_again' }) : entry;
}

/** Past the triggers that would refuse it. */
async function unguarded(sql: string): Promise<void> {
  await client.query(`SET session_replication_role = replica; ${sql}`);
}
