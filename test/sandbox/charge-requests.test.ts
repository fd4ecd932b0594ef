import { expect, test } from '@jest/globals';
import { findTestCard } from '../../src/sandbox/cards.ts';
import { CARD, CHARGE, openBench } from './fixture.ts';

test('P10 a charge needs no name, unless the mode says so', async () => {
  const { name: _, ...nameless } = CHARGE;
  const lenient = await openBench();
  expect(await lenient.post('/subscribe/payments/again', nameless)).toMatchObject({
    code: 0,
    response: { name: null },
  });
  const strict = await openBench({ modes: { nameRequired: true } });
  expect(await strict.post('/subscribe/payments/again', nameless)).toMatchObject({ status: 400, code: -1 });
});

test('P11 an amount may be text, unless the mode says so', async () => {
  const lenient = await openBench();
  expect(await lenient.again({ amount: '1000' })).toMatchObject({ code: 0, response: { amount: 1_000 } });
  const strict = await openBench({ modes: { textAmounts: 'reject' } });
  expect(await strict.again({ amount: '1000' })).toMatchObject({ status: 400, code: -1 });
  const form = 'customer_uid=card-1&merchant_uid=order-2&amount=1000';
  expect((await strict.postForm('/subscribe/payments/again', form)).code).toBe(0);
});

test('P12 a form with nested names is charged', async () => {
  const bench = await openBench();
  const form = 'customer_uid=card-1&merchant_uid=order-1&amount=1000&name=%EC%9B%94&extra[naverUseCfm]=20270131';
  expect(await bench.postForm('/subscribe/payments/again', form)).toMatchObject({
    code: 0,
    response: { amount: 1_000, name: '월', status: 'paid' },
  });
});

test.each([
  ['1234-1234-1234-1234', '2030-12', '[F112]유효하지않은 카드번호를 입력하셨습니다. (card_bin 없음)'],
  ['4092-0230-1234-1234', '2030-12', '[F112]유효하지않은 카드번호를 입력하셨습니다. (card_bin 없음)'],
  ['9410', '2030-12', '[F112]유효하지않은 카드번호를 입력하셨습니다. (card_bin 없음)'],
  ['9410-1234-5678-1234', '2026-12', '[3021]유효기간 오류'],
])('P19 onetime refuses the card %s until %s', async (card_number, expiry, reason) => {
  const bench = await openBench();
  const body = { ...CHARGE, ...CARD, card_number, expiry };
  expect(await bench.post('/subscribe/payments/onetime', body)).toMatchObject({
    status: 200,
    code: -1,
    message: `카드정보 인증에 실패하였습니다. ${reason}`,
    response: null,
  });
});

test('P20 onetime with a customer_uid charges the card and stores it', async () => {
  const bench = await openBench();
  const body = { ...CHARGE, ...CARD, customer_uid: 'new-card', buyer_name: '홍길동' };
  expect(await bench.post('/subscribe/payments/onetime', body)).toMatchObject({
    code: 0,
    response: { status: 'paid' },
  });
  expect(await bench.get('/subscribe/customers/new-card')).toMatchObject({
    code: 0,
    response: { customer_name: '홍길동' },
  });
  expect((await bench.again({ customer_uid: 'new-card', merchant_uid: 'order-2' })).code).toBe(0);
});

test('P20 onetime stores nothing without a customer_uid or when the card declines', async () => {
  const bench = await openBench();
  const { customer_uid: _, ...anonymous } = CHARGE;
  expect(await bench.post('/subscribe/payments/onetime', { ...anonymous, ...CARD })).toMatchObject({
    code: 0,
    response: { customer_uid: null, customer_uid_usage: null },
  });
  const card_number = findTestCard('decline_card')?.number;
  const declined = { ...CHARGE, ...CARD, card_number, customer_uid: 'new-card', merchant_uid: 'order-2' };
  expect(await bench.post('/subscribe/payments/onetime', declined)).toMatchObject({ response: { status: 'failed' } });
  expect((await bench.get('/subscribe/customers/new-card')).code).toBe(1);
});

test('P21 instalments below 50,000 won are declined', async () => {
  const bench = await openBench();
  expect(await bench.again({ card_quota: 2 })).toMatchObject({
    code: 0,
    response: { status: 'failed', card_quota: 2, fail_reason: expect.stringContaining('[3024]') },
  });
  expect(await bench.again({ card_quota: 2, amount: 50_000 })).toMatchObject({ response: { status: 'paid' } });
});

test('P22 Smartro takes letters and digits only as merchant_uid', async () => {
  const bench = await openBench({ modes: { pgProvider: 'smartro_v2' } });
  expect(await bench.again({ merchant_uid: 'order-1' })).toMatchObject({ status: 200, code: -1, response: null });
  expect((await bench.again({ merchant_uid: 'order1' })).code).toBe(0);
});

test('P23 a pg in again is ignored: the channel comes from the key', async () => {
  const bench = await openBench();
  expect(await bench.again({ pg: 'kcp' })).toMatchObject({ response: { pg_provider: 'nice' } });
});

test.each([
  [{ amount: undefined }, 'amount'],
  [{ merchant_uid: undefined }, 'merchant_uid'],
  [{ customer_uid: '' }, 'customer_uid'],
  [{ merchant_uid: 'x'.repeat(41) }, 'merchant_uid'],
  [{ name: '가'.repeat(41) }, 'name'],
  [{ buyer_name: '가'.repeat(17) }, 'buyer_name'],
  [{ amount: -1 }, 'amount'],
  [{ amount: 10.5 }, 'amount'],
  [{ amount: { total: 8_900 } }, 'amount'],
  [{ currency: 'WON' }, 'amount'],
])('again refuses %j, naming the field', async (fields, name) => {
  const bench = await openBench();
  const answer = await bench.again(fields);
  expect(answer).toMatchObject({ status: 400, code: -1, response: null });
  expect(answer.message).toContain(name);
});

test('dollars are charged in cents and shown in dollars', async () => {
  const bench = await openBench();
  expect(await bench.again({ amount: 9.9, currency: 'USD' })).toMatchObject({
    response: { amount: 9.9, currency: 'USD' },
  });
  expect(await bench.get('/_sandbox/ledger')).toMatchObject({ body: { data: [{ amount: 990, currency: 'USD' }] } });
});

test('a charge of nothing is declined, and so is one below the minimum of the channel', async () => {
  const bench = await openBench({ modes: { minimumKrw: 100 } });
  for (const amount of [0, 99]) {
    expect(await bench.again({ amount })).toMatchObject({ code: 0, response: { status: 'failed' } });
  }
  expect(await bench.again({ amount: 100 })).toMatchObject({ response: { status: 'paid' } });
});
