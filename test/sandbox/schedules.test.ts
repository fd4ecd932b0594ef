import { expect, test } from '@jest/globals';
import { type Bench, DUPLICATE, HandClock, newDirectory, openBench, text } from './fixture.ts';

const NOW_S = Date.UTC(2027, 0, 31, 1) / 1_000;
const CARD = { card_number: '9410-1234-5678-1234', expiry: '2030-12' };
const NONE_YET = { schedule_status: 'scheduled', imp_uid: null, payment_status: null, executed_at: 0, revoked_at: 0 };

test('S1 S16 charges are booked and told as such; the buyer is the customer of the key', async () => {
  const bench = await openBench();
  await bench.post('/subscribe/customers/card-2', { ...CARD, customer_name: '홍길동' });
  const answer = await book(bench, { customer_uid: 'card-2', schedules: [item(1), item(2)] });
  expect(answer).toMatchObject({
    status: 200,
    code: 0,
    response: [
      { ...NONE_YET, merchant_uid: 'booked-1', customer_uid: 'card-2', schedule_at: NOW_S + 60, buyer_name: '홍길동' },
      { ...NONE_YET, merchant_uid: 'booked-2', amount: 9_900, custom_data: '{"period":"2027-01-31"}' },
    ],
  });
  expect(await bench.get('/payments/find/booked-1')).toMatchObject({ status: 404 });
});

test('S2 a merchant_uid is booked once, and never one that was paid: then nothing of the request is', async () => {
  const bench = await openBench();
  await bench.again({ merchant_uid: 'booked-3' });
  await book(bench, { schedules: [item(1)] });
  for (const schedules of [
    [item(2), item(1)],
    [item(2), item(2)],
    [item(2), item(3)],
  ]) {
    expect(await book(bench, { schedules })).toMatchObject({ status: 200, code: 1, response: null });
  }
  expect((await bench.get('/subscribe/payments/schedule/booked-2')).status).toBe(404);
});

test('S3 S4 an unknown customer is refused, unless a card comes with it', async () => {
  const bench = await openBench();
  expect(await book(bench, { customer_uid: 'new', schedules: [item(1)] })).toMatchObject({
    code: 1,
    message: '등록된 고객정보가 없습니다.',
  });
  expect((await book(bench, { customer_uid: 'new', ...CARD, schedules: [item(1)] })).code).toBe(0);
  expect((await bench.get('/subscribe/customers/new')).code).toBe(0);
});

test('S5 a schedule charges when it is due, as any other capture and with the instant it was due', async () => {
  const bench = await openBench();
  await book(bench, { schedules: [item(1)] });
  await bench.pass(59_999);
  expect(await ledger(bench)).toEqual([]);
  await bench.pass(3_600_000);
  const paid = await bench.get('/payments/find/booked-1');
  expect(paid).toMatchObject({
    response: { status: 'paid', customer_uid_usage: 'payment.scheduled', paid_at: NOW_S + 60, amount: 9_900 },
  });
  expect(await bench.get('/subscribe/payments/schedule/booked-1')).toMatchObject({
    response: {
      schedule_status: 'executed',
      payment_status: 'paid',
      executed_at: NOW_S + 60,
      imp_uid: text(paid, 'imp_uid'),
    },
  });
  expect(await ledger(bench)).toMatchObject([
    { merchant_uid: 'booked-1', customer_uid: 'card-1', captured_at: '2027-01-31T01:01:00.000Z' },
  ]);
});

test('S6 a scheduled charge is declined like any other', async () => {
  const bench = await openBench();
  await bench.store('card-1', 'decline_funds');
  await book(bench, { schedules: [item(1)] });
  await bench.pass(60_000);
  expect(await bench.get('/subscribe/payments/schedule/booked-1')).toMatchObject({
    response: { schedule_status: 'executed', payment_status: 'failed', fail_reason: '[2116]개인 월 한도금액 초과' },
  });
});

test.each([
  ['the key is gone', '등록되지 않은 구매자입니다.'],
  ['the merchant_uid was paid meanwhile', DUPLICATE.message],
  ['the payment company is silent', '결제사의 응답이 없습니다.'],
])('a schedule that is due when %s leaves no payment and says why', async (what, fail_reason) => {
  const bench = await openBench();
  await book(bench, { schedules: [item(1)] });
  if (what.includes('gone')) await bench.delete('/subscribe/customers/card-1');
  else if (what.includes('paid')) await bench.again({ merchant_uid: 'booked-1' });
  else await bench.store('card-1', 'hang');
  await bench.pass(60_000);
  expect(await bench.get('/subscribe/payments/schedule/booked-1')).toMatchObject({
    response: { schedule_status: 'executed', payment_status: 'failed', imp_uid: null, fail_reason },
  });
});

test('S7 S8 S9 S18 what is pending is revoked, one by one or all of a customer, and never charged', async () => {
  const bench = await openBench();
  await book(bench, { schedules: [item(1), item(2), item(3)] });
  const one = await bench.post('/subscribe/payments/unschedule', { customer_uid: 'card-1', merchant_uid: 'booked-1' });
  expect(one).toMatchObject({
    code: 0,
    response: [{ merchant_uid: 'booked-1', schedule_status: 'revoked', revoked_at: NOW_S, imp_uid: null }],
  });
  const rest = await bench.post('/subscribe/payments/unschedule', { customer_uid: 'card-1' });
  expect(rest).toMatchObject({ response: [{ merchant_uid: 'booked-2' }, { merchant_uid: 'booked-3' }] });
  expect(await bench.post('/subscribe/payments/unschedule', { customer_uid: 'card-1' })).toMatchObject({
    status: 200,
    code: 1,
    message: '취소할 예약결제 기록이 존재하지 않습니다.',
  });
  await bench.pass(3_600_000);
  expect(await ledger(bench)).toEqual([]);
});

test('S13 S14 S15 schedules are listed in windows and pages, of all or of a customer, by status', async () => {
  const bench = await openBench();
  await bench.store('card-2', 'approve');
  await book(bench, { schedules: [item(1), item(2)] });
  await book(bench, { customer_uid: 'card-2', schedules: [item(3)] });
  await bench.pass(60_000);
  const window = `from=${NOW_S}&to=${NOW_S + 86_400}`;
  const all = `/subscribe/payments/schedule?schedule_from=${NOW_S}&schedule_to=${NOW_S + 86_400}`;
  expect(await uids(bench, all)).toEqual(['booked-3', 'booked-2', 'booked-1']);
  expect(await uids(bench, `${all}&sorting=scheduled&limit=2`)).toEqual(['booked-1', 'booked-2']);
  expect(await uids(bench, `${all}&limit=2&page=2`)).toEqual(['booked-1']);
  expect(await uids(bench, `${all}&schedule_status=executed`)).toEqual(['booked-1']);
  expect(await uids(bench, `/subscribe/payments/schedule/customers/card-1?${window}`)).toEqual([
    'booked-2',
    'booked-1',
  ]);
  expect(await uids(bench, `/subscribe/customers/card-1/schedules?${window}&schedule-status=scheduled`)).toEqual([
    'booked-2',
  ]);
  const until = `/subscribe/payments/schedule/customers/card-1?from=${NOW_S}&to=${NOW_S + 120}`;
  expect(await uids(bench, until)).toEqual(['booked-1']);
  const february = Date.UTC(2027, 0, 31, 15) / 1_000;
  const tooLong = `from=${february}&to=${february + 89 * 86_400 + 1}`;
  for (const bad of [`from=${NOW_S}`, `from=1&to=${NOW_S}`, tooLong, `${window}&schedule-status=odd`]) {
    expect((await bench.get(`/subscribe/payments/schedule/customers/card-1?${bad}`)).status).toBe(400);
  }
});

test('schedules are there again after a restart, and those that fell due meanwhile are charged once', async () => {
  const directory = await newDirectory();
  const clock = new HandClock();
  const before = await openBench({ directory, clock, modes: { duplicateUid: 'accept' } });
  await book(before, { schedules: [item(1), item(2), item(3)] });
  await before.post('/subscribe/payments/unschedule', { merchant_uid: ['booked-3'] });
  await before.pass(60_000);
  await before.sandbox.close();
  clock.advance(60_000);
  const after = await openBench({ directory, clock, modes: { duplicateUid: 'accept' } });
  expect(await ledger(after)).toMatchObject([{ merchant_uid: 'booked-1' }, { merchant_uid: 'booked-2' }]);
});

test('a schedule that cannot be read is refused, naming the field', async () => {
  const bench = await openBench();
  for (const [fields, name] of [
    [{ schedule_at: undefined }, 'schedule_at'],
    [{ merchant_uid: undefined }, 'merchant_uid'],
    [{ amount: undefined }, 'amount'],
  ] as const) {
    const answer = await book(bench, { schedules: [{ ...item(1), ...fields }] });
    expect(answer).toMatchObject({ status: 400, message: expect.stringContaining(name) });
  }
  expect(await book(bench, { schedules: [] })).toMatchObject({ status: 400 });
});

function item(number: number): Record<string, unknown> {
  const due = { merchant_uid: `booked-${number}`, schedule_at: NOW_S + 60 * number };
  return { ...due, amount: 9_900, name: '월 구독', custom_data: '{"period":"2027-01-31"}' };
}

function book(bench: Bench, fields: Readonly<Record<string, unknown>>): ReturnType<Bench['post']> {
  return bench.post('/subscribe/payments/schedule', { customer_uid: 'card-1', ...fields });
}

async function ledger(bench: Bench): Promise<unknown> {
  return Object((await bench.get('/_sandbox/ledger')).body).data;
}

async function uids(bench: Bench, path: string): Promise<unknown[]> {
  const { list } = Object((await bench.get(path)).response);
  return list.map((schedule: object) => Object(schedule).merchant_uid);
}
