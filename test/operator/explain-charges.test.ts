import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { explainInvoice, renderExplanation } from '../../src/operator/explain.ts';
import { expireSends } from '../../src/store/due.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { addCase } from './rows.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase('maedal/worker');
  await database.setNow(DateTime.fromISO('2027-01-31T01:00:05Z'));
});
afterAll(() => database.drop());

const newCase = (invoice: Parameters<typeof addCase>[1], attempt: Parameters<typeof addCase>[2]) =>
  addCase(database.db, invoice, attempt);
const OURS = { fingerprint: 'account:server:name', needsAdoption: false };
const LATER = '2027-02-01T01:00:00Z';
const SENT = { sentAt: '2027-01-31T01:00:01Z' };
const PAYMENT = { merchant_uid: 'a', status: 'paid', amount: 9900, currency: 'KRW', learnt_by: 'look_up', raw: {} };

test('workers that took an attempt and died before they sent it are told, for they left no other trace', async () => {
  const { invoiceId, attemptId } = await newCase({ state: 'open', nextAt: LATER }, {});
  const taken = async (fence: number, lost: number) => {
    await database.db.attempt.update({ where: { id: attemptId }, data: { fence, lease_count: lost } });
    return renderExplanation(await explainInvoice(database.db, invoiceId, OURS));
  };
  expect(await taken(1, 1)).toContain('    Not sent so far.');
  expect(await taken(2, 1)).toContain(
    '    Taken up by workers 2 times, the last one without a report so far. Not sent',
  );
  expect(await taken(3, 3)).toContain('    Taken up by workers 3 times, the last 3 without a report so far. Not sent');
  expect(await taken(3, 0)).toContain('    Taken up by workers 3 times. Not sent so far.');
});

test('a send that nobody reported moves the fence, and is no worker that took it', async () => {
  const { db } = database;
  const { invoiceId, attemptId } = await newCase({ state: 'open', nextAt: LATER }, { state: 'sent', ...SENT });
  await db.attempt.update({ where: { id: attemptId }, data: { fence: 1, lease_until: new Date(SENT.sentAt) } });
  expect(await expireSends(db, 10)).toBe(1);
  const [attempt] = (await explainInvoice(db, invoiceId, OURS)).attempts;
  expect(attempt).toMatchObject({ state: 'unknown', leases: 1 });
});

test('what an unknown charge waits for is told once the gateway did not know it', async () => {
  const { invoiceId, attemptId } = await newCase({ state: 'open', nextAt: LATER }, { state: 'unknown', ...SENT });
  const says = async (not_found_count: number) => {
    await database.db.attempt.update({ where: { id: attemptId }, data: { not_found_count } });
    return (await explainInvoice(database.db, invoiceId, OURS)).next.says;
  };
  expect(await says(0)).not.toContain('did not know it');
  expect(await says(1)).toContain('Once so far the gateway did not know it. It goes again, under the same id, after');
  expect(await says(2)).toContain('2 times so far the gateway did not know it.');
});

test('what was ordered about its subscription since it was drawn up is part of its story', async () => {
  const { db } = database;
  const { invoiceId } = await newCase({ state: 'open', nextAt: LATER }, {});
  const { subscription_id: subject, created_at } = await db.invoice.findUniqueOrThrow({ where: { id: invoiceId } });
  const deed = { actor: 'api', subject, reason: 'on holiday' };
  await db.audit.create({ data: { ...deed, action: 'subscription.resumed', at: new Date(created_at.getTime() - 1) } });
  await db.audit.create({ data: { ...deed, action: 'subscription.paused' } });
  const text = renderExplanation(await explainInvoice(db, invoiceId, OURS));
  expect(text).toContain('The subscription was paused: on holiday [api]');
  expect(text).not.toContain('The subscription was resumed');
});

test('an invoice may be named by what PortOne calls one of its charges', async () => {
  const { invoiceId, attemptId } = await newCase({ state: 'paid' }, {});
  const { merchant_uid } = await database.db.attempt.findUniqueOrThrow({ where: { id: attemptId } });
  await database.db.observation.create({ data: { ...PAYMENT, imp_uid: 'imps_named', merchant_uid } });
  for (const named of [invoiceId.toUpperCase(), merchant_uid, 'imps_named', ' imps_named ']) {
    expect((await explainInvoice(database.db, named, OURS)).invoice.id).toBe(invoiceId);
  }
});

test.each(['00000000-0000-4000-8000-000000000000', 'imps_of_another', "' OR true --", ''])(
  "'%s', which names nothing, is the bad input of a person",
  async (named) => {
    await expect(explainInvoice(database.db, named, OURS)).rejects.toMatchObject({ name: 'InputError' });
  },
);

test("a gateway's words cannot speak to the terminal", async () => {
  const failReason = 'no\u001b[2J\u001b]0;owned\u0007\r\nInvoice paid\u2028\u202e';
  const { invoiceId } = await newCase({ state: 'held', reason: failReason }, { state: 'canceled', failReason });
  const text = renderExplanation(await explainInvoice(database.db, invoiceId, OURS));
  expect(text).not.toMatch(/[^\P{Cc}\n]|\p{Cf}|\p{Zl}/u);
  expect(text).toContain('no\\u{1b}[2J');
  expect(text.split('\n')).not.toContain('Invoice paid');
});
