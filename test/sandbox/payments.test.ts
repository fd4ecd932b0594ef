import { expect, test } from '@jest/globals';
import { type Bench, number, openBench, text } from './fixture.ts';

const NOT_FOUND = { status: 404, code: -1, message: '존재하지 않는 결제정보입니다.', response: null };
const DAY_MS = 86_400_000;

test('R1 an unknown payment is not found', async () => {
  const bench = await openBench();
  expect(await bench.get('/payments/imps_000000000000?include_sandbox=true')).toMatchObject(NOT_FOUND);
  expect(await bench.get('/payments/find/unknown')).toMatchObject(NOT_FOUND);
  expect(await bench.get('/payments/findAll/unknown')).toMatchObject(NOT_FOUND);
  expect(await bench.get('/payments?imp_uid[]=imps_000000000000')).toMatchObject(NOT_FOUND);
});

test('R2 a test payment is hidden by its imp_uid without include_sandbox', async () => {
  const bench = await openBench();
  const impUid = text(await bench.again(), 'imp_uid');
  expect(await bench.get(`/payments/${impUid}`)).toMatchObject(NOT_FOUND);
  expect(await bench.get(`/payments/${impUid}?include_sandbox=true`)).toMatchObject({
    status: 200,
    response: { imp_uid: impUid, sandbox: true },
  });
});

test('R2 in a live channel nothing is hidden', async () => {
  const bench = await openBench({ modes: { liveChannel: true } });
  const impUid = text(await bench.again(), 'imp_uid');
  expect(await bench.get(`/payments/${impUid}`)).toMatchObject({ status: 200, response: { sandbox: false } });
});

test('R3 every other way to read shows test payments without a flag', async () => {
  const bench = await openBench();
  const imp_uid = text(await bench.again(), 'imp_uid');
  expect(await bench.get('/payments/find/order-1')).toMatchObject({ status: 200, response: { imp_uid } });
  expect(await bench.get('/payments/findAll/order-1')).toMatchObject({
    status: 200,
    response: { list: [{ imp_uid }] },
  });
  expect(await bench.get(`/payments?imp_uid[]=${imp_uid}`)).toMatchObject({ status: 200, response: [{ imp_uid }] });
  expect(await bench.get('/payments/status/all')).toMatchObject({ status: 200, response: { list: [{ imp_uid }] } });
});

test('R4 find shows the first by the order asked for, of one state if one is named', async () => {
  const bench = await failThenPay();
  expect(await bench.get('/payments/find/order-1')).toMatchObject({ response: { status: 'paid' } });
  expect(await bench.get('/payments/find/order-1?sorting=started')).toMatchObject({ response: { status: 'failed' } });
  expect(await bench.get('/payments/find/order-1?sorting=-paid')).toMatchObject({ response: { status: 'paid' } });
  expect(await bench.get('/payments/find/order-1/failed')).toMatchObject({ response: { status: 'failed' } });
  expect(await bench.get('/payments/find/order-1/cancelled')).toMatchObject(NOT_FOUND);
  expect((await bench.get('/payments/find/order-1?sorting=amount')).status).toBe(400);
});

test('R5 findAll shows every payment of a merchant_uid, newest first, in pages', async () => {
  const bench = await failThenPay();
  expect(await bench.get('/payments/findAll/order-1')).toMatchObject({
    response: { total: 2, previous: 0, next: 0, list: [{ status: 'paid' }, { status: 'failed' }] },
  });
  expect(await bench.get('/payments/findAll/order-1?limit=1&page=2')).toMatchObject({
    response: { total: 2, previous: 1, next: 0, list: [{ status: 'failed' }] },
  });
  expect(await bench.get('/payments/findAll/order-1/paid')).toMatchObject({ response: { total: 1 } });
});

test.each([
  ['R6', '/payments/findAll/order-1/zzz'],
  ['R6', '/payments/find/order-1/zzz'],
  ['R7', '/payments/status/zzz'],
])('%s an unknown state is refused: %s', async (_id, path) => {
  const bench = await openBench();
  expect(await bench.get(path)).toMatchObject({
    status: 400,
    code: -1,
    message: '지원되지 않는 상태값입니다.',
    response: null,
  });
});

test.each(['page=0', 'page=2', 'limit=0', 'limit=1001', 'page=x', 'from=2&to=1', 'from=0'])(
  'the search %s is out of range',
  async (query) => {
    const bench = await openBench();
    expect((await bench.get(`/payments/status/all?${query}`)).status).toBe(400);
  },
);

test('payments are listed by state within the last 90 days', async () => {
  const bench = await failThenPay();
  expect(await bench.get('/payments/status/failed')).toMatchObject({ response: { total: 1 } });
  expect(await bench.get('/payments/status/all?sorting=started')).toMatchObject({
    response: { total: 2, list: [{ status: 'failed' }, { status: 'paid' }] },
  });
  const from = Math.floor(bench.clock.nowMs() / 1_000) + 1;
  expect(await bench.get(`/payments/status/all?from=${from}&to=${from + 5}`)).toMatchObject({ response: { total: 0 } });
});

test('R8 many payments are read at once, by either id: 207 when some are missing', async () => {
  const bench = await openBench();
  const imp_uid = text(await bench.again(), 'imp_uid');
  await bench.again({ merchant_uid: 'order-2' });
  expect(await bench.get(`/payments?imp_uid[]=${imp_uid}&merchant_uid[]=order-2`)).toMatchObject({
    status: 200,
    response: [{ merchant_uid: 'order-1' }, { merchant_uid: 'order-2' }],
  });
  const partial = await bench.get(`/payments?imp_uid[]=${imp_uid}&imp_uid[]=imps_000000000000`);
  expect([partial.status, partial.response]).toMatchObject([207, [{ imp_uid }]]);
  const ids = Array.from({ length: 101 }, (_, index) => `imp_uid[]=${index}`).join('&');
  expect((await bench.get(`/payments?${ids}`)).status).toBe(400);
});

test('R9 R11 R12 a payment is cancelled in part, then whole, then no more', async () => {
  const bench = await openBench();
  await bench.again({ amount: 100 });
  const now = Math.floor(bench.clock.nowMs() / 1_000);
  const cancel = (fields: object) => bench.post('/payments/cancel', { merchant_uid: 'order-1', ...fields });
  expect(await cancel({ amount: 30, reason: '변심', checksum: 100 })).toMatchObject({
    status: 200,
    code: 0,
    response: {
      status: 'cancelled',
      amount: 100,
      cancel_amount: 30,
      cancelled_at: now,
      cancel_reason: '변심',
      cancel_history: [
        {
          pg_tid: expect.any(String),
          amount: 30,
          cancelled_at: now,
          reason: '변심',
          cancellation_id: expect.any(String),
          receipt_url: expect.any(String),
        },
      ],
    },
  });
  expect(await cancel({})).toMatchObject({ code: 0, response: { cancel_amount: 100, status: 'cancelled' } });
  expect(await cancel({})).toMatchObject({ status: 200, code: 1, response: null });
  expect(await bench.get('/payments/status/cancelled')).toMatchObject({ response: { total: 1 } });
});

test('R10 a wrong checksum or too large an amount cancels nothing', async () => {
  const bench = await openBench();
  const imp_uid = text(await bench.again(), 'imp_uid');
  expect(await bench.post('/payments/cancel', { imp_uid, checksum: 1 })).toMatchObject({ code: 1, response: null });
  expect(await bench.post('/payments/cancel', { imp_uid, amount: 9_901 })).toMatchObject({ code: 1, response: null });
  expect(await bench.get('/payments/find/order-1')).toMatchObject({ response: { status: 'paid', cancel_amount: 0 } });
});

test('R13 R15 an unknown uid cannot be cancelled, nor a wrong imp_uid beside a right merchant_uid', async () => {
  const bench = await openBench();
  await bench.again();
  const missing = { status: 200, code: 1, message: '취소할 결제건이 존재하지 않습니다.', response: null };
  expect(await bench.post('/payments/cancel', { merchant_uid: 'unknown' })).toMatchObject(missing);
  const both = { imp_uid: 'imps_000000000000', merchant_uid: 'order-1' };
  expect(await bench.post('/payments/cancel', both)).toMatchObject(missing);
});

test('R13 a declined payment cannot be cancelled', async () => {
  const bench = await openBench();
  await bench.store('card-1', 'decline_card');
  await bench.again();
  expect(await bench.post('/payments/cancel', { merchant_uid: 'order-1' })).toMatchObject({ code: 1, response: null });
});

test('R14 a cancel names a payment', async () => {
  const bench = await openBench();
  const answer = await bench.post('/payments/cancel', { amount: 1 });
  expect(answer).toMatchObject({ status: 200, code: 1, message: expect.stringMatching(/지정해주셔야합니다\.$/) });
});

test('R16 a payment that was never prepared is not found', async () => {
  const bench = await openBench();
  expect(await bench.get('/payments/prepare/order-1')).toMatchObject({
    status: 404,
    message: '사전등록된 결제정보가 존재하지 않습니다.',
    response: null,
  });
});

test('R17 an unknown certification is not found', async () => {
  const bench = await openBench();
  const missing = { status: 404, message: '인증결과가 존재하지 않습니다.', response: null };
  expect(await bench.get('/certifications/imp_1')).toMatchObject(missing);
  expect(await bench.delete('/certifications/imp_1')).toMatchObject(missing);
});

test.each([
  // charged at 10:00 in Korea; the payment company reverses at 23:30
  [13.5 * 3_600_000 - 1, 0],
  [13.5 * 3_600_000, 1],
  [DAY_MS, 1],
])('R18 a payment that the payment company reversed by itself cannot be cancelled: after %i ms', async (ms, code) => {
  const bench = await openBench({ modes: { dailyAutoCancel: true } });
  const impUid = text(await bench.again(), 'imp_uid');
  const now = new Date(bench.clock.nowMs() + ms).toISOString();
  await bench.post('/_sandbox/clock', { now });
  expect(await bench.get('/payments/find/order-1')).toMatchObject({ response: { status: 'paid' } });
  const answer = await bench.post('/payments/cancel', { imp_uid: impUid });
  expect(answer).toMatchObject(code === 0 ? { code } : { code, message: '기 취소 거래', response: null });
});

test('times are told in whole seconds', async () => {
  const bench = await openBench();
  expect(Number.isInteger(number(await bench.again(), 'paid_at'))).toBe(true);
});

async function failThenPay(): Promise<Bench> {
  const bench = await openBench();
  await bench.store('card-1', 'funds_then_approve');
  await bench.again();
  await bench.again();
  return bench;
}
