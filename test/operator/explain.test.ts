import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { explainInvoice, renderExplanation } from '../../src/operator/explain.ts';
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
const SENT = { sentAt: '2027-01-31T01:00:01Z' };

test('a decline and its retry are told from the due instant to the next one, in local time', async () => {
  const { db } = database;
  const due = { state: 'open', nextAt: '2027-01-31T01:00:00Z' };
  const { subscription, invoiceId, attemptId, billingKeyId } = await newCase(due, {});
  await db.billing_key.update({ where: { id: billingKeyId }, data: { card_number_masked: '5365****1234' } });
  await db.$executeRaw`
    UPDATE attempt SET state = 'sent', send_count = 1, first_sent_at = maedal_now(), sent_at = maedal_now(), amount = 9900,
           currency = 'KRW', tax_free = 0, name = 'Monthly tea', customer_uid = 'uid' WHERE id = ${attemptId}::uuid`;
  await database.setNow(DateTime.fromISO('2027-01-31T01:00:07Z'));
  await db.$executeRaw`
    UPDATE attempt SET state = 'declined', answered_at = maedal_now(), decline_class = 'funds', fail_reason = '잔액부족',
           imp_uid = 'imps_000000000001' WHERE id = ${attemptId}::uuid`;
  await db.$executeRaw`
    UPDATE invoice SET state = 'retrying', failures = 1, next_at = '2027-02-01T01:00:00Z' WHERE id = ${invoiceId}::uuid`;
  const { merchant_uid } = await db.attempt.findUniqueOrThrow({ where: { id: attemptId } });
  await db.observation.create({
    data: {
      imp_uid: 'imps_000000000001',
      merchant_uid,
      attempt_id: attemptId,
      status: 'failed',
      amount: 9900,
      currency: 'KRW',
      fail_reason: '잔액부족',
      learnt_by: 'answer',
      raw: {},
    },
  });
  const explanation = await explainInvoice(db, invoiceId, OURS);
  expect(explanation.due).toEqual({ at: '2027-01-31T01:00:00Z', local: '2027-01-31 10:00:00' });
  expect(explanation.transitions.map(({ what, attempt, from, to, who }) => [what, attempt, from, to, who])).toEqual([
    ['invoice', null, null, 'open', 'maedal/worker'],
    ['attempt', 1, null, 'prepared', 'maedal/worker'],
    ['attempt', 1, 'prepared', 'sent', 'maedal/worker'],
    ['attempt', 1, 'sent', 'declined', 'maedal/worker'],
    ['invoice', null, 'open', 'retrying', 'maedal/worker'],
  ]);
  expect(explanation.policy).toEqual({ id: 'default-1', rules: { retryAfterDays: [1, 3, 5], minGapHours: 24 } });
  expect(explanation.next).toEqual({
    at: '2027-02-01T01:00:00Z',
    says: 'Attempt 2 is made and charged at 2027-02-01T01:00:00Z.',
  });
  expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
  const text = renderExplanation(explanation);
  for (const line of [
    `  Monthly tea: 9900 KRW of subscription ${subscription} for the period 2027-01-31`,
    '  It was due at 2027-01-31 10:00:00 and is retrying.',
    '  All times are local to Asia/Seoul.',
    '  2027-01-31 10:00:07  Attempt 1 was declined: 잔액부족 [maedal/worker]',
    '  Attempt 1 on card 5365****1234: declined (funds): 잔액부족',
    '    Sent once, at 2027-01-31 10:00:05; answered at 2027-01-31 10:00:07.',
    '    The gateway shows imps_000000000001 as failed, 9900 KRW: 잔액부족; first seen at 2027-01-31 10:00:07, by the answer to the charge.',
    '  After a decline: again 1, 3, 5 days after the due date, at least 24 hours after the last attempt on a card.',
    '  Then it is uncollectible, and the subscription is unpaid; where the last decline is for config, it is held, and the subscription stays past due.',
    '  Attempt 2 is made and charged at 2027-02-01 10:00:00.',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
});

const LATER = '2027-02-01T01:00:00Z';
test.each([
  ['is charged when due', { state: 'open', nextAt: LATER }, {}, /^Attempt 1 is charged at 2027-02-01T01:00:00Z\.$/],
  [
    'waits for a tick once it is due',
    { state: 'open', nextAt: '2027-01-31T01:00:00Z' },
    {},
    /as soon as a scheduler ticks \(due since 2027-01-31T01:00:00Z\)/,
  ],
  ['was proved not sent', { state: 'open', nextAt: LATER }, SENT, /^Attempt 1 is charged again, under the same id, at/],
  [
    'has its intent written, and no answer',
    { state: 'open', nextAt: LATER },
    { state: 'sent', ...SENT },
    /^Attempt 1 is about to be sent, or was\./,
  ],
  [
    'is unknown',
    { state: 'open', nextAt: LATER },
    { state: 'unknown', ...SENT },
    /^The gateway is asked about attempt 1 at .* nothing else is charged/,
  ],
  [
    'is paid',
    { state: 'paid' },
    { state: 'paid', impUid: 'imps_1', answeredAt: LATER, ...SENT },
    /^Nothing: it is paid\.$/,
  ],
  ['is held', { state: 'held', reason: 'catch_up' }, { state: 'canceled' }, /waits for a person \(catch_up\)/],
  [
    'is to be reviewed',
    { state: 'review', reason: 'amounts differ' },
    { state: 'review', ...SENT },
    /a person must decide \(amounts differ\)/,
  ],
  [
    'waits for another card',
    { state: 'retrying', reason: 'awaiting_card', nextAt: LATER },
    { state: 'declined', answeredAt: '2027-01-31T01:00:05Z', ...SENT },
    /^Another card is waited for until 2027-02-01T01:00:00Z, and charged when it comes\. If none has come by then, it is uncollectible, and the subscription is unpaid\.$/,
  ],
  [
    'has waited for another card',
    { state: 'retrying', reason: 'awaiting_card', nextAt: '2027-01-31T01:00:00Z' },
    { state: 'declined', answeredAt: '2027-01-31T01:00:05Z', ...SENT },
    /^Another card was waited for until 2027-01-31T01:00:00Z\. As soon as a scheduler ticks, one that has come is charged\. If none has come by then, it is uncollectible, and the subscription is unpaid\.$/,
  ],
  [
    'was given up',
    { state: 'uncollectible', reason: 'retries_exhausted' },
    { state: 'canceled' },
    /^Nothing: it ended uncollectible \(retries_exhausted\)\. `maedal retry` has it charged once more\.$/,
  ],
] as const)('says what comes next for one that %s', async (_what, invoice, attempt, expected) => {
  const { invoiceId } = await newCase(invoice, attempt);
  expect((await explainInvoice(database.db, invoiceId, OURS)).next.says).toMatch(expected);
});

const PAYMENT = { merchant_uid: 'a', status: 'paid', amount: 9900, currency: 'KRW', learnt_by: 'look_up', raw: {} };
test.each([
  [
    'proposed',
    {},
    /^It is paid\. Refund of imps_r1: It waits for a person: `maedal refund .* --reason …` gives it back\.$/,
  ],
  ['due', { next_at: new Date(LATER) }, /It is cancelled at the gateway at 2027-02-01T01:00:00Z\.$/],
  [
    'unknown',
    { state: 'unknown', send_count: 1, sent_at: new Date(LATER), next_at: new Date(LATER), fail_reason: 'lost' },
    /The payment is looked up at 2027-02-01T01:00:00Z; before that nothing is cancelled again\.$/,
  ],
  [
    'failed',
    { state: 'failed', fail_reason: '취소기한이 지났습니다.' },
    /A person must decide; `maedal refund .* begins anew\.$/,
  ],
  ['done', { state: 'done', cancellation_id: 'c' }, /^Nothing: it is paid\.$/],
] as const)('tells of a refund that is %s, and of what comes next', async (state, fields, expected) => {
  const { db } = database;
  const { invoiceId } = await newCase({ state: 'paid' }, {});
  await db.observation.deleteMany({ where: { imp_uid: 'imps_r1' } });
  await db.observation.create({ data: { ...PAYMENT, imp_uid: 'imps_r1' } });
  await db.refund.create({
    data: {
      ...{ invoice_id: invoiceId, imp_uid: 'imps_r1', amount: 9900, checksum: 9900, currency: 'KRW' },
      ...{ reason: 'captured late', requested_by: 'maedal', ...fields },
    },
  });
  const explanation = await explainInvoice(db, invoiceId, OURS);
  expect(explanation.next.says).toMatch(expected);
  const text = renderExplanation(explanation);
  expect(text).toContain(`  9900 KRW of imps_r1: ${explanation.refunds[0]?.state}`);
  expect(text).toContain('    Wanted by maedal: captured late.');
  expect(text).toMatch(/The refund of imps_r1 /);
  if (state === 'unknown') expect(text).toContain('    Asked of the gateway once, at 2027-02-01 10:00:00.');
  await db.refund.deleteMany({ where: { imp_uid: 'imps_r1' } });
});

test('what ended and may still be captured is said to be watched', async () => {
  const { invoiceId } = await newCase({ state: 'uncollectible', reason: 'retries_exhausted' }, { state: 'canceled' });
  await database.db.invoice.update({ where: { id: invoiceId }, data: { watch_at: new Date(LATER) } });
  expect((await explainInvoice(database.db, invoiceId, OURS)).next).toEqual({
    at: LATER,
    says: `It ended uncollectible (retries_exhausted). \`maedal retry\` has it charged once more. Something of it might still be captured: it is looked up once more at ${LATER}.`,
  });
});

test.each([
  ['retrying', 'awaiting_card', 'no card is left to try, and another one is waited for'],
  ['uncollectible', 'no_card_left', 'no card was left to try, and no other came'],
  ['uncollectible', 'written_off', 'given up, and owed no more: its policy lets the subscription go on'],
])('says why it is %s in words: %s', async (state, reason, words) => {
  const nextAt = state === 'retrying' ? { nextAt: LATER } : {};
  const { invoiceId } = await newCase({ state, reason, ...nextAt }, { state: 'canceled' });
  const text = renderExplanation(await explainInvoice(database.db, invoiceId, OURS));
  expect(text).toContain(` and is ${state}: ${words} (${reason}).`);
});

test('says so while sending is switched off', async () => {
  const { invoiceId } = await newCase({ state: 'open', nextAt: LATER }, {});
  await database.db.control.update({
    where: { id: 1 },
    data: { sending_enabled: false, sending_reason: 'moving house' },
  });
  expect((await explainInvoice(database.db, invoiceId, OURS)).next.says).toContain(
    'Sending is switched off (moving house): `maedal send on --reason …` lets charges go again.',
  );
  await database.db.control.update({ where: { id: 1 }, data: { sending_enabled: true, sending_reason: null } });
});

test.each([
  [
    'another installation has the database',
    { fingerprint: 'another:server:name' },
    OURS,
    /another MAEDAL_SECRET or another/,
  ],
  ['nobody adopted it for live charges', {}, { ...OURS, needsAdoption: true }, /Nothing is sent before `maedal adopt`/],
])('says so while %s', async (_, control, identity, expected) => {
  const { invoiceId } = await newCase({ state: 'open', nextAt: LATER }, {});
  await database.db.control.update({ where: { id: 1 }, data: control });
  expect((await explainInvoice(database.db, invoiceId, identity)).next.says).toMatch(expected);
  await database.db.control.update({ where: { id: 1 }, data: { fingerprint: null } });
});
