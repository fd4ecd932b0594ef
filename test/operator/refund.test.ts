import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseInvoiceId } from '../../src/billing/ids.ts';
import { refundInvoice } from '../../src/operator/refund.ts';
import { refundDue } from '../../src/worker/refund.ts';
import { wantRefund } from '../support/refunds.ts';
import { FINGERPRINT, invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
let subscription: string;
beforeEach(async () => {
  world = await newWorld();
  subscription = await world.subscribe();
  await world.run();
});
afterEach(() => world.end());

const REQUEST = { amount: null, impUid: null, reason: 'moved away', actor: 'cli:hana' };
async function refund(request = {}, deps = {}): Promise<readonly string[]> {
  const { id } = await invoiceOf(world, subscription);
  const own = { db: world.database.db, fingerprint: FINGERPRINT, needsAdoption: false };
  return refundInvoice({ ...own, ...deps }, parseInvoiceId(id), { ...REQUEST, ...request });
}
const refunds = () => world.database.db.refund.findMany({ orderBy: { created_at: 'asc' } });
const audit = () => world.database.db.audit.findMany({ orderBy: { id: 'asc' } });

/** A second capture of the period, put up for refund. */
async function double(): Promise<string> {
  const [attempt] = (await invoiceOf(world, subscription)).attempts;
  const { impUid } = world.gateway.captureAgain(attempt?.merchant_uid ?? '');
  const answer = await world.gateway.lookUp(attempt?.merchant_uid ?? '');
  if (answer.kind === 'found') await world.worker.store.observe(answer.records, 'look_up');
  await world.run();
  return impUid;
}

test('a paid invoice is refunded whole: a refund begins, due at once, and the audit says who and why', async () => {
  const ids = await refund();
  expect(await refunds()).toMatchObject([
    { id: ids[0], state: 'prepared', amount: 9_900n, checksum: 9_900n, reason: 'moved away', requested_by: 'cli:hana' },
  ]);
  const { id: subject } = await invoiceOf(world, subscription);
  expect(await audit()).toMatchObject([
    {
      ...{ actor: 'cli:hana', action: 'refund.requested', reason: 'moved away', subject },
      details: { refund: ids[0], imp_uid: 'imps_000000000001', amount: 9_900, currency: 'KRW' },
    },
  ]);
  expect(world.gateway.cancels).toEqual([]); // ordering sends nothing
  await refundDue(world.refunder, { only: ids });
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'refunded', reason: 'moved away' });
});

test('a part may be given back, then the rest, and no more', async () => {
  await refundDue(world.refunder, { only: await refund({ amount: '3000' }) });
  await refundDue(world.refunder, { only: await refund() });
  expect((await refunds()).map((row) => [row.amount, row.state])).toEqual([
    [3_000n, 'done'],
    [6_900n, 'done'],
  ]);
  await expect(refund()).rejects.toMatchObject({
    name: 'InputError',
    message: expect.stringMatching(/the invoice is refunded/),
  });
});

test('what was put up for refund is approved before the payment that settled is touched', async () => {
  const impUid = await double();
  expect(await refunds()).toMatchObject([{ imp_uid: impUid, next_at: null, requested_by: 'maedal' }]);
  await expect(refund({ amount: '100' })).rejects.toMatchObject({ name: 'InputError' });
  await refundDue(world.refunder, { only: await refund() });
  expect(await refunds()).toMatchObject([{ imp_uid: impUid, state: 'done', requested_by: 'cli:hana' }]);
  expect(await audit()).toMatchObject([{ action: 'refund.approved', actor: 'cli:hana' }]);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('a double whose refund failed is what the next word means, not the payment that settled', async () => {
  const impUid = await double();
  world.gateway.cancelBehaviours = Array.from({ length: 5 }, () => 'refuse');
  await refund();
  for (let hours = 0; hours < 48; hours += 1) {
    await refundDue(world.refunder);
    await world.advance({ hours: 1 });
  }
  expect(await refunds()).toMatchObject([{ state: 'failed' }]);
  await refundDue(world.refunder, { only: await refund() });
  expect((await refunds()).map((row) => [row.imp_uid, row.state])).toEqual([
    [impUid, 'failed'],
    [impUid, 'done'],
  ]);
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('said twenty times at once, it begins once', async () => {
  const all = await Promise.allSettled(Array.from({ length: 20 }, () => refund()));
  expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await refunds()).toHaveLength(1);
  expect(await audit()).toHaveLength(1);
});

test('a second word while the first is under way is refused, and says so', async () => {
  await wantRefund(world, subscription);
  await expect(refund()).rejects.toMatchObject({
    name: 'InputError',
    message: expect.stringMatching(/being refunded already/),
  });
});

test.each([
  ['a copy of the database', `UPDATE control SET fingerprint = 'another'`, {}, /another installation.*maedal adopt/],
  [
    'sending switched off',
    `UPDATE control SET sending_enabled = false, sending_reason = 'books differ'`,
    {},
    /switched off \(books differ\).*maedal send on/,
  ],
  ['a database not adopted', 'SELECT 1', { needsAdoption: true }, /not adopted.*maedal adopt/],
] as const)('%s is a fence: nothing begins', async (_name, sql, deps, words) => {
  await world.database.db.$executeRawUnsafe(sql);
  await expect(refund({}, deps)).rejects.toMatchObject({ name: 'FenceError', message: words });
  expect(await refunds()).toEqual([]);
  expect(await audit()).toEqual([]);
});

test.each([
  ['an invoice that is not there', '00000000-0000-4000-8000-000000000000', REQUEST, /there is no invoice/],
  ['no reason', null, { ...REQUEST, reason: '  ' }, /--reason is empty/],
  ['a reason of 201 characters', null, { ...REQUEST, reason: 'x'.repeat(201) }, /too long/],
] as const)('%s is bad input', async (_name, id, request, words) => {
  const deps = { db: world.database.db, fingerprint: FINGERPRINT, needsAdoption: false };
  const invoice = id ?? (await invoiceOf(world, subscription)).id;
  const refused = refundInvoice(deps, parseInvoiceId(invoice), request);
  await expect(refused).rejects.toMatchObject({ name: 'InputError', message: words });
});
