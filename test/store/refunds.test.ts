import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { RefundTransition } from '../../src/billing/refund.ts';
import {
  type LeasedRefund,
  leaseRefund,
  type RefundIntent,
  recordRefund,
  writeRefundIntent,
} from '../../src/store/refunds.ts';
import { refundDue } from '../../src/worker/refund.ts';
import { refundRow, wantRefund } from '../support/refunds.ts';
import { lockRows } from '../support/row-lock.ts';
import { FINGERPRINT, invoiceOf, newWorld, type World } from '../support/world.ts';

const LIMITS = { timeoutSeconds: 60, horizonSeconds: 3_600, needsAdoption: false, fingerprint: FINGERPRINT };
const DONE: RefundTransition = {
  kind: 'record',
  from: ['prepared', 'sent', 'unknown'],
  fence: 'unfenced',
  state: 'done',
  nextAt: null,
  reason: null,
  cancellationId: 'c1',
  invoice: 'refunded',
  event: 'refund.succeeded',
};
const FAILED = { ...DONE, fence: 'fenced', state: 'failed', reason: 'no', event: 'refund.failed' } as const;

let world: World;
let subscription: string;
let id: string;
beforeEach(async () => {
  world = await newWorld();
  subscription = await world.subscribe();
  await world.run();
  id = await wantRefund(world, subscription);
});
afterEach(() => world.end());

async function leased(): Promise<LeasedRefund> {
  const refund = await leaseRefund(world.database.db, 90, null);
  if (refund === null) throw new Error('nothing was leased');
  return refund;
}
const intend = (refund: LeasedRefund, limits = {}): Promise<RefundIntent> =>
  writeRefundIntent(world.database.db, refund, { ...LIMITS, ...limits });
const record = (refund: LeasedRefund, next: RefundTransition) => recordRefund(world.database.db, refund, next);

test('while a lease runs nobody else gets one; when it ends, somebody does', async () => {
  const first = await leased();
  expect(await leaseRefund(world.database.db, 90, null)).toBeNull();
  await world.advance({ seconds: 90 });
  expect(await leased()).toMatchObject({ id, fence: first.fence + 1, state: 'prepared' });
});

test('a refund that another worker holds is passed over, not waited for', async () => {
  await world.database.db.$transaction(async (other) => {
    await other.$queryRaw`SELECT id FROM refund FOR UPDATE`;
    expect(await leaseRefund(world.database.db, 90, null)).toBeNull();
  });
});

test('what was sent and never recorded is unknown to whoever comes next', async () => {
  await intend(await leased());
  await world.advance({ seconds: 89 });
  expect(await leaseRefund(world.database.db, 90, null)).toBeNull();
  await world.advance({ seconds: 1 });
  expect(await leased()).toMatchObject({ state: 'unknown', sends: 1 });
});

test.each([
  ['another database', `UPDATE control SET fingerprint = 'a copy'`, {}, 'foreign_database'],
  ['a database that nobody marked', `UPDATE control SET fingerprint = NULL`, {}, 'foreign_database'],
  ['a process that takes it for another', `SELECT 1`, { fingerprint: 'other' }, 'foreign_database'],
  ['the kill switch', `UPDATE control SET sending_enabled = false`, {}, 'switched_off'],
  ['no adoption where one is asked for', `SELECT 1`, { needsAdoption: true }, 'not_adopted'],
  ['a fence that moved', `UPDATE refund SET fence = fence + 1`, {}, 'lost'],
  ['a lease that ran out', `UPDATE refund SET lease_until = maedal_now()`, {}, 'lost'],
] as const)('no intent against %s', async (_name, sql, limits, because) => {
  const refund = await leased();
  await world.database.db.$executeRawUnsafe(sql);
  expect(await intend(refund, limits)).toEqual({ kind: 'refused', because });
  expect(await refundRow(world, id)).toMatchObject({ state: 'prepared', send_count: 0 });
});

test('what nobody asked for waits while its invoice is in review; what a person asked for does not', async () => {
  await world.database.db.$executeRaw`UPDATE invoice SET state = 'review', reason = 'r', paid_at = NULL`;
  const asked = await leased();
  await world.database.db.$executeRaw`UPDATE refund SET requested_by = 'maedal'`;
  expect(await intend(asked)).toEqual({ kind: 'refused', because: 'in_review' });
  await world.database.db.$executeRaw`UPDATE refund SET requested_by = 'cli:hana'`;
  expect(await intend(asked)).toMatchObject({ kind: 'sent' });
});

test.each([
  [
    'sending is switched off',
    'SELECT FROM control FOR UPDATE',
    'UPDATE control SET sending_enabled = false',
    'switched_off',
  ],
  [
    'its invoice goes into review',
    'SELECT FROM invoice FOR UPDATE',
    `UPDATE invoice SET state = 'review', reason = 'r', paid_at = NULL`,
    'in_review',
  ],
] as const)('an intent that waits while %s gives nothing back', async (_what, lock, change, because) => {
  await world.database.db.$executeRaw`UPDATE refund SET requested_by = 'maedal'`;
  const refund = await leased();
  const held = await lockRows(world.database.url, lock);
  const intent = intend(refund);
  await held.waitedForBy(1);
  await held.also(change);
  await held.release();
  expect(await intent).toEqual({ kind: 'refused', because });
});

test('the statement itself bars a second send until the horizon is over', async () => {
  await intend(await leased());
  await world.advance({ seconds: 90 });
  const unknown = await leased();
  await world.advance({ seconds: 80 });
  expect(await intend(unknown)).toEqual({ kind: 'refused', because: 'lost' });
  expect(await intend(unknown, { horizonSeconds: 100 })).toMatchObject({ kind: 'sent' });
});

test('a copy of the database cancels nothing, however long it runs', async () => {
  await world.database.db.$executeRaw`UPDATE control SET fingerprint = 'the original'`;
  for (let hours = 0; hours < 5; hours += 1) {
    await refundDue(world.refunder);
    await world.advance({ hours: 1 });
  }
  expect(world.gateway.cancels).toHaveLength(0);
  expect(await refundRow(world, id)).toMatchObject({
    state: 'prepared',
    fail_reason: expect.stringMatching(/another installation/),
  });
});

test('a failure under an older lease is refused; a late success is recorded, and once', async () => {
  const sender = await leased();
  await intend(sender);
  await world.advance({ seconds: 90 });
  await leased();
  expect(await record(sender, FAILED)).toBe(false);
  expect(await record(sender, DONE)).toBe(true);
  expect(await record(sender, DONE)).toBe(false);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'refunded' });
  expect(await world.database.db.outbox.count({ where: { kind: 'refund.succeeded' } })).toBe(1);
});

test('a whole refund of a payment that did not settle the invoice leaves it paid', async () => {
  const refund = await leased();
  await world.database.db.$executeRaw`UPDATE attempt SET imp_uid = 'imps_another' WHERE state = 'paid'`;
  expect(await record(refund, DONE)).toBe(true);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('a cancellation that is written down already is not written down for another refund', async () => {
  const { invoice: _, ...part } = DONE;
  await record(await leased(), part);
  const other = await wantRefund(world, subscription, { amount: 100, checksum: 100 });
  await record(await leased(), DONE);
  expect(await refundRow(world, other)).toMatchObject({ state: 'done', cancellation_id: null });
});

test.each([
  ['another amount', `UPDATE refund SET amount = 1`],
  ['another payment', `UPDATE refund SET imp_uid = 'imps_2'`],
  [
    'a done one that begins anew',
    `UPDATE refund SET state = 'done', next_at = NULL; UPDATE refund SET state = 'prepared'`,
  ],
  ['a forgotten send', `UPDATE refund SET send_count = 1, sent_at = now(); UPDATE refund SET send_count = 0`],
  ['a failure without a reason', `UPDATE refund SET state = 'failed', next_at = NULL`],
  [
    'one on its way that nobody looks at',
    `UPDATE refund SET state = 'sent', send_count = 1, sent_at = now(), next_at = NULL`,
  ],
  ['one that ended and is due', `UPDATE refund SET state = 'failed', fail_reason = 'x'`],
  [
    'two open refunds of one payment',
    `INSERT INTO refund (invoice_id, imp_uid, amount, currency, checksum, reason, requested_by) SELECT invoice_id, imp_uid, 1, 'KRW', 1, 'r', 'x' FROM refund`,
  ],
])('the database itself refuses %s', async (_name, sql) => {
  const statements = sql.split('; ');
  const run = async () => {
    for (const statement of statements) await world.database.db.$executeRawUnsafe(statement);
  };
  await expect(run()).rejects.toThrow();
});

test('every step is in the history, with why it came to that', async () => {
  await intend(await leased());
  await world.advance({ seconds: 90 });
  await record(await leased(), FAILED);
  const history = await world.database.db.history.findMany({ where: { entity: 'refund' }, orderBy: { id: 'asc' } });
  expect(history.map((row) => [row.from_state, row.to_state, row.reason])).toEqual([
    [null, 'prepared', 'asked by the payer'],
    ['prepared', 'sent', 'asked by the payer'],
    ['sent', 'unknown', 'the worker that sent it never reported back'],
    ['unknown', 'failed', 'no'],
  ]);
});
