import { expect, test } from '@jest/globals';
import { findTestCard } from '../../src/sandbox/cards.ts';
import { CARD, number, openBench } from './fixture.ts';

const KEY = '/subscribe/customers/card-2';
const GONE = { code: 1, message: '요청하신 customer_uid(card-2)로 등록된 정보를 찾을 수 없습니다.', response: null };

test('K1 a key is issued from card data and shows the card masked', async () => {
  const bench = await openBench();
  const now = Math.floor(bench.clock.nowMs() / 1_000);
  const issued = await bench.post(KEY, { ...CARD, customer_name: '홍길동', customer_id: 'member-7' });
  expect(issued).toMatchObject({
    status: 200,
    code: 0,
    message: null,
    response: {
      customer_uid: 'card-2',
      pg_provider: 'nice',
      pg_id: 'iamport01m',
      sandbox: true,
      customer_id: 'member-7',
      card_name: 'BC카드',
      card_number: '941012******1234',
      customer_name: '홍길동',
      customer_tel: null,
      inserted: now,
      updated: now,
    },
  });
  expect(await bench.get(KEY)).toEqual(issued);
});

test.each(['1234-1234-1234-1234', '4092-0230-1234-1234', '1234'])(
  'K2 the number %s is refused',
  async (card_number) => {
    const bench = await openBench();
    expect(await bench.post(KEY, { ...CARD, card_number })).toMatchObject({
      status: 200,
      code: -1,
      message:
        '카드정보 인증 및 빌키 발급에 실패하였습니다. [F112]유효하지않은 카드번호를 입력하셨습니다. (card_bin 없음)',
      response: null,
    });
    expect(await bench.get(KEY)).toMatchObject(GONE);
  },
);

test.each(['2026-12', '2030-13', 'soon'])('K2 the expiry %s is refused', async (expiry) => {
  const bench = await openBench();
  const message = '카드정보 인증 및 빌키 발급에 실패하였습니다. [3021]유효기간 오류';
  expect(await bench.post(KEY, { ...CARD, expiry })).toMatchObject({ status: 200, code: -1, message });
});

test('K2 a card is good until the end of its month in Korea', async () => {
  const bench = await openBench(); // it is 10:00 in Korea on the last of January
  expect((await bench.post(KEY, { ...CARD, expiry: '2027-01' })).code).toBe(0);
  await bench.pass(14 * 3_600_000 - 1);
  expect((await bench.post('/_sandbox/clock', { advance_ms: 0 })).body).toEqual({ now: '2027-01-31T14:59:59.999Z' });
});

test('K3 another card under the same customer_uid replaces the first', async () => {
  const bench = await openBench();
  await bench.post(KEY, CARD);
  const replaced = await bench.post(KEY, { ...CARD, card_number: findTestCard('decline_card')?.number });
  expect(number(replaced, 'updated')).toBeGreaterThan(number(replaced, 'inserted'));
  expect(await bench.again({ customer_uid: 'card-2' })).toMatchObject({
    response: { status: 'failed', card_number: '400000******0003' },
  });
});

test.each(['371234567890123', '9410123456781234', '9410 1234 5678 1234'])(
  'K4 the number %s is taken',
  async (number) => {
    const bench = await openBench();
    expect((await bench.post(KEY, { ...CARD, card_number: number })).code).toBe(0);
  },
);

test.each([200, 404] as const)('K5 K7 reading or deleting an unknown key answers %i by mode', async (status) => {
  const bench = await openBench({ modes: { unknownCustomerStatus: status } });
  expect(await bench.get(KEY)).toMatchObject({ status, ...GONE });
  expect(await bench.delete(KEY)).toMatchObject({ status, ...GONE });
  expect(await bench.get(`${KEY}/payments`)).toMatchObject({ status, ...GONE });
});

test('K6 a deleted key is gone, and charging it is refused', async () => {
  const bench = await openBench();
  await bench.post(KEY, CARD);
  expect(await bench.delete(`${KEY}?reason=moved`)).toMatchObject({ code: 0, response: { customer_uid: 'card-2' } });
  expect(await bench.get(KEY)).toMatchObject(GONE);
  expect(await bench.again({ customer_uid: 'card-2' })).toMatchObject({
    code: 1,
    message: '등록되지 않은 구매자입니다.',
  });
});

test('K8 many keys are read at once: 200 all, 207 some, 404 none', async () => {
  const bench = await openBench();
  await bench.post(KEY, CARD);
  const many = (...uids: string[]) =>
    bench.get(`/subscribe/customers?${uids.map((uid) => `customer_uid[]=${uid}`).join('&')}`);
  expect(await many('card-1', 'card-2')).toMatchObject({
    status: 200,
    response: [{ customer_uid: 'card-1' }, { customer_uid: 'card-2' }],
  });
  const partial = await many('card-2', 'missing');
  expect([partial.status, partial.response]).toMatchObject([207, [{ customer_uid: 'card-2' }]]);
  expect(partial.response).toHaveLength(1);
  expect(await many('missing', 'absent')).toMatchObject({ status: 404, response: null });
});

test('K9 the payments of a key come twenty to a page, newest first', async () => {
  const bench = await openBench();
  for (let number = 1; number <= 21; number += 1) await bench.again({ merchant_uid: `order-${number}` });
  const first = await bench.get('/subscribe/customers/card-1/payments');
  expect(first).toMatchObject({ response: { total: 21, previous: 0, next: 2 } });
  expect(first).toHaveProperty('response.list.length', 20);
  expect(first).toHaveProperty('response.list.0.merchant_uid', 'order-21');
  expect(await bench.get('/subscribe/customers/card-1/payments?page=2')).toMatchObject({
    response: { total: 21, previous: 1, next: 0, list: [{ merchant_uid: 'order-1' }] },
  });
  expect((await bench.get('/subscribe/customers/card-1/payments?page=3')).status).toBe(400);
});

test('K10 a key issued over a routing group shows its channels', async () => {
  const bench = await openBench();
  const answer = await bench.post(KEY, { ...CARD, channel_group_id: 'group-1' });
  expect(answer).toMatchObject({
    code: 0,
    response: {
      customer_uid: 'card-2',
      channelGroupId: 'group-1',
      succeededChannels: [{ pg_provider: 'nice', card_number: '941012******1234' }],
      failedChannels: [],
    },
  });
  expect((await bench.again({ customer_uid: 'card-2' })).code).toBe(0);
});

test('K11 a Naver Pay key is deleted with a reason only', async () => {
  const bench = await openBench();
  await bench.post(KEY, { ...CARD, pg: 'naverpay.mid' });
  expect(await bench.delete(KEY)).toMatchObject({ status: 200, code: -1, response: null });
  expect(await bench.delete(`${KEY}?reason=moved&extra[requester]=customer`)).toMatchObject({ code: 0 });
});

test('issuing a key needs no channel_key, unless the mode says so', async () => {
  const bench = await openBench({ modes: { channelKeyRequired: true } });
  expect(await bench.post(KEY, CARD)).toMatchObject({ status: 400, code: -1 });
  expect((await bench.post(KEY, { ...CARD, channel_key: 'channel-key-1' })).code).toBe(0);
});

test.each([
  ['html5_inicis', 'INIBillTst'],
  ['html5_inicis.MINE', 'MINE'],
  ['kcp', 'iamport01m'],
])('a key issued over %s is of the merchant id %s', async (pg, pg_id) => {
  const bench = await openBench();
  expect(await bench.post(KEY, { ...CARD, pg })).toMatchObject({ response: { pg_id } });
});
