import { expect, test } from '@jest/globals';
import { TEST_CARDS } from '../../src/sandbox/cards.ts';
import { openBench, text } from './fixture.ts';

test('the ledger lists every capture and cancel, in minor units, and needs no token', async () => {
  const bench = await openBench();
  const imp_uid = text(await bench.again({ custom_data: '{"period":"2027-01-31"}' }), 'imp_uid');
  bench.clock.advance(1_500);
  await bench.post('/payments/cancel', { imp_uid, amount: 900 });
  const row = {
    imp_uid,
    merchant_uid: 'order-1',
    customer_uid: 'card-1',
    currency: 'KRW',
    captured_at: '2027-01-31T01:00:00.000Z',
    custom_data: '{"period":"2027-01-31"}',
  };
  expect((await bench.get('/_sandbox/ledger')).body).toEqual({
    data: [
      { ...row, amount: 9_900, status: 'paid', cancelled_at: null },
      { ...row, amount: 900, status: 'cancelled', cancelled_at: '2027-01-31T01:00:01.500Z' },
    ],
    next_cursor: null,
  });
});

test('the ledger is read in pages of at most 1,000, each row once', async () => {
  const bench = await openBench();
  for (let number = 1; number <= 5; number += 1) await bench.again({ merchant_uid: `order-${number}` });
  const pages: unknown[] = [];
  for (let cursor: string | null = '0'; cursor !== null; ) {
    const { body } = await bench.get(`/_sandbox/ledger?limit=2&cursor=${cursor}`);
    const page = Object(body);
    pages.push(page.data.map((row: object) => Object(row).merchant_uid));
    cursor = page.next_cursor;
  }
  expect(pages).toEqual([['order-1', 'order-2'], ['order-3', 'order-4'], ['order-5']]);
  expect((await bench.get('/_sandbox/ledger?limit=1001')).status).toBe(400);
});

test('the test cards are listed with number, name and behaviour', async () => {
  const bench = await openBench();
  const data = TEST_CARDS.map(({ number, name, behaviour }) => ({ number, name, behaviour }));
  expect((await bench.get('/_sandbox/cards')).body).toEqual({ data, next_cursor: null });
});

test('a test card is stored under a customer_uid by name or by number', async () => {
  const bench = await openBench();
  const number = TEST_CARDS.find(({ name }) => name === 'decline_card')?.number;
  expect((await bench.post('/_sandbox/cards/card-2', { card: number })).body).toEqual({
    data: [{ customer_uid: 'card-2', card: 'decline_card' }],
    next_cursor: null,
  });
  expect(await bench.again({ customer_uid: 'card-2' })).toMatchObject({ response: { status: 'failed' } });
  expect(await bench.get('/subscribe/customers/card-2')).toMatchObject({ code: 0 });
});

test('many test cards are stored at once, or none when one of them is bad', async () => {
  const bench = await openBench();
  const good = { customer_uid: 'card-2', card: 'approve' };
  const bad = await bench.post('/_sandbox/cards', { cards: [good, { customer_uid: 'card-3', card: 'gold' }] });
  expect(bad.status).toBe(400);
  expect(bad.message).toContain("cards[1] (card-3): 'gold' is not a test card");
  expect((await bench.get('/subscribe/customers/card-2')).code).toBe(1);
  expect((await bench.post('/_sandbox/cards', { cards: [good, { ...good, customer_uid: 'card-3' }] })).status).toBe(
    200,
  );
  expect((await bench.get('/subscribe/customers/card-3')).code).toBe(0);
});

test.each([[{}], [{ cards: 'approve' }], [{ cards: Array.from({ length: 1_001 }, () => ({})) }], [{ cards: [null] }]])(
  'storing cards refuses %j',
  async (body) => {
    const bench = await openBench();
    expect((await bench.post('/_sandbox/cards', body)).status).toBe(400);
  },
);

test('the clock is told, advanced and set, and tokens age by it', async () => {
  const bench = await openBench();
  expect((await bench.get('/_sandbox/clock')).body).toEqual({ now: '2027-01-31T01:00:00.000Z' });
  const first = await bench.post('/users/getToken', { imp_key: 'imp_sandbox', imp_secret: 'sandbox_secret' });
  expect((await bench.post('/_sandbox/clock', { advance_ms: 1_800_000 })).body).toEqual({
    now: '2027-01-31T01:30:00.000Z',
  });
  const second = await bench.post('/users/getToken', { imp_key: 'imp_sandbox', imp_secret: 'sandbox_secret' });
  expect(text(second, 'access_token')).not.toBe(text(first, 'access_token'));
  const set = await bench.post('/_sandbox/clock', { now: '2027-02-28T10:00:00+09:00' });
  expect(set.body).toEqual({ now: '2027-02-28T01:00:00.000Z' });
  bench.clock.advance(1_000);
  expect((await bench.get('/_sandbox/clock')).body).toEqual({ now: '2027-02-28T01:00:01.000Z' });
});

test.each([[{}], [{ now: 'tomorrow' }], [{ now: '2027-01-31T10:00:00' }], [{ advance_ms: -1 }], [{ advance_ms: 'x' }]])(
  'the clock refuses %j',
  async (body) => {
    const bench = await openBench();
    expect((await bench.post('/_sandbox/clock', body)).status).toBe(400);
  },
);

test('what is no call of the API, or no JSON, is answered in the envelope', async () => {
  const bench = await openBench();
  expect(await bench.get('/unknown')).toMatchObject({ status: 404, code: -1, response: null });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${bench.url}/users/getToken`, { method: 'POST', headers, body: '{"imp_key":' });
  expect([answer.status, await answer.json()]).toMatchObject([400, { code: -1, response: null }]);
});
