import { expect, test } from '@jest/globals';
import { findTestCard, TEST_CARDS } from '../../src/sandbox/cards.ts';
import { type Bench, CARD, CHARGE, openBench, tokenFrom } from './fixture.ts';

const NOTHING = { status: 404, code: -1 };

test('every test card has a name and a number of 16 digits of its own', () => {
  expect(new Set(TEST_CARDS.map(({ name }) => name)).size).toBe(20);
  expect(new Set(TEST_CARDS.map(({ number }) => number)).size).toBe(20);
  for (const testCard of TEST_CARDS) {
    expect(testCard.number).toMatch(/^\d{16}$/);
    expect(findTestCard(testCard.name)).toBe(testCard);
    expect(findTestCard(testCard.number)).toBe(testCard);
  }
});

test('a test card works by its number too, written as people write it', async () => {
  const bench = await openBench();
  const number = findTestCard('decline_time')?.number.replace(/(\d{4})(?=\d)/g, '$1-');
  await bench.post('/subscribe/customers/card-2', { ...CARD, card_number: number });
  expect(await bench.again({ customer_uid: 'card-2' })).toMatchObject({
    response: { fail_reason: '[2159]해당은행장애' },
  });
});

test.each([
  ['decline_funds', '[2116]개인 월 한도금액 초과'],
  ['decline_card', '[3021]유효기간 오류'],
  ['decline_key', '[A126]이미 삭제된 빌키이거나 존재하지 않은 빌키입니다'],
  ['decline_time', '[2159]해당은행장애'],
  ['decline_verify', '[A299]API 지연처리 발생'],
  ['decline_fraud', '[FS01]이상금융거래로 탐지되어 고객님의 거래가 거절되었습니다'],
  ['decline_config', '결제에 실패하였습니다. [8901]미등록PG업체/거래정지업체'],
  ['decline_other', '[9999]승인거절'],
])('%s is declined for good: %s', async (card, fail_reason) => {
  const bench = await openBench();
  await bench.store('card-1', card);
  const failed = { code: 0, message: null, response: { status: 'failed', fail_reason } };
  expect(await bench.again()).toMatchObject(failed);
  expect(await bench.again()).toMatchObject(failed);
  await bench.pass(60_000);
  expect(await captures(bench)).toBe(0);
});

test('funds_then_approve declines the first charge on the key only', async () => {
  const bench = await openBench();
  await bench.store('card-1', 'funds_then_approve');
  expect(await bench.again()).toMatchObject({
    response: { status: 'failed', fail_reason: '[2116]개인 월 한도금액 초과' },
  });
  await bench.store('card-1', 'funds_then_approve'); // stored again, as an import repeated would: still the same card
  expect(await bench.again({ merchant_uid: 'order-2' })).toMatchObject({ response: { status: 'paid' } });
  expect(await bench.again({ merchant_uid: 'order-3' })).toMatchObject({ response: { status: 'paid' } });
});

test('decline_as_error answers a message instead of a payment and leaves a failed record', async () => {
  const bench = await openBench();
  await bench.store('card-1', 'decline_as_error');
  const message = '결제승인에 실패하였습니다. [2116]개인 월 한도금액 초과';
  expect(await bench.again()).toMatchObject({ status: 200, code: -1, message, response: null });
  expect(await bench.get('/payments/find/order-1')).toMatchObject({ response: { status: 'failed' } });
});

test('flip_to_paid and pending_then_paid are captured after 3 s, and not before', async () => {
  const bench = await openBench();
  await bench.store('card-1', 'flip_to_paid');
  await bench.store('card-2', 'pending_then_paid');
  expect(await bench.again()).toMatchObject({ response: { status: 'failed' } });
  expect(await bench.again({ customer_uid: 'card-2', merchant_uid: 'order-2' })).toMatchObject({
    response: { status: 'ready' },
  });
  bench.clock.advance(2_999);
  expect(await captures(bench)).toBe(0);
  bench.clock.advance(1);
  expect(await captures(bench)).toBe(2);
});

test('P16 capture_then_drop is paid although the connection dropped', async () => {
  const bench = await openBench();
  await bench.store('card-1', 'capture_then_drop');
  await expect(bench.again()).rejects.toThrow();
  expect(await bench.get('/payments/find/order-1')).toMatchObject({ response: { status: 'paid' } });
  expect(await captures(bench)).toBe(1);
});

test('P18 capture_then_500 is paid although the answer is a 500', async () => {
  const bench = await openBench();
  await bench.store('card-1', 'capture_then_500');
  expect(await bench.again()).toMatchObject({ status: 500, code: -1, response: null });
  expect(await captures(bench)).toBe(1);
});

test('P15 capture_late drops the connection at once and is paid after 3 s', async () => {
  const bench = await openBench();
  await bench.store('card-1', 'capture_late');
  await expect(bench.again()).rejects.toThrow();
  expect(await bench.get('/payments/find/order-1')).toMatchObject(NOTHING);
  await bench.pass(3_000);
  expect(await bench.get('/payments/find/order-1')).toMatchObject({ response: { status: 'paid' } });
});

test.each([
  ['serialise', 1],
  ['both', 2],
] as const)('a late capture under a merchant_uid paid meanwhile, %s: %i captures', async (concurrency, expected) => {
  const bench = await openBench({ modes: { concurrency } });
  await bench.store('card-1', 'capture_late');
  await expect(bench.again()).rejects.toThrow();
  await bench.store('card-1', 'approve');
  expect(await bench.again()).toMatchObject({ response: { status: 'paid' } });
  await bench.pass(3_000);
  expect(await captures(bench)).toBe(expected);
});

test('a pending payment whose merchant_uid is paid meanwhile fails as a duplicate', async () => {
  const bench = await openBench();
  await bench.store('card-1', 'pending_then_paid');
  await bench.again();
  await bench.store('card-1', 'approve');
  await bench.again();
  await bench.pass(3_000);
  expect(await captures(bench)).toBe(1);
  expect(await bench.get('/payments/find/order-1/failed')).toMatchObject({
    response: { fail_reason: expect.stringContaining('이미 주문이 이루어진 건입니다.') },
  });
});

test('P17 drop_before_capture leaves nothing, and the merchant_uid can be used again', async () => {
  const bench = await openBench();
  await bench.store('card-1', 'drop_before_capture');
  await expect(bench.again()).rejects.toThrow();
  await bench.pass(60_000);
  expect(await bench.get('/payments/find/order-1')).toMatchObject(NOTHING);
  await bench.store('card-1', 'approve');
  expect(await bench.again()).toMatchObject({ response: { status: 'paid' } });
});

test('P18 error_500 answers a page and leaves nothing', async () => {
  const bench = await openBench();
  await bench.store('card-1', 'error_500');
  const answer = await againRaw(bench);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([500, 'text/html; charset=utf-8']);
  expect(await bench.get('/payments/find/order-1')).toMatchObject(NOTHING);
});

test('malformed is paid, and its JSON ends in the middle', async () => {
  const bench = await openBench();
  await bench.store('card-1', 'malformed');
  const answer = await againRaw(bench);
  const body = await answer.text();
  expect(answer.status).toBe(200);
  expect(body).toMatch(/^\{"code":0/);
  expect(() => JSON.parse(body)).toThrow(SyntaxError);
  expect(await captures(bench)).toBe(1);
});

test('hang never answers and leaves nothing; the sandbox can still be closed', async () => {
  const bench = await openBench();
  await bench.store('card-1', 'hang');
  const settled: string[] = [];
  const hanging = bench.again().then(
    () => settled.push('answered'),
    () => settled.push('cut off'),
  );
  await bench.pass(60_000);
  expect(await bench.get('/payments/find/order-1')).toMatchObject(NOTHING);
  expect(settled).toEqual([]);
  await bench.sandbox.close();
  await hanging;
  expect(settled).toEqual(['cut off']);
});

async function captures(bench: Bench): Promise<number> {
  const { body } = await bench.get('/_sandbox/ledger');
  return Object(body).data.length;
}

async function againRaw({ url }: Bench): Promise<Response> {
  const headers = { authorization: await tokenFrom(url), 'content-type': 'application/json' };
  return fetch(`${url}/subscribe/payments/again`, { method: 'POST', headers, body: JSON.stringify(CHARGE) });
}
