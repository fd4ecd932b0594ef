import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openBench, text } from './fixture.ts';

/** Whoever receives webhooks; answers what it is told to, 200 at last. */
type Receiver = { readonly url: string; readonly got: { type: string; body: string }[]; readonly answers: number[] };

let server: Server;
let receiver: Receiver;
let heard: (() => void)[] = [];
beforeEach(async () => {
  const got: Receiver['got'] = [];
  const answers: number[] = [];
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    got.push({ type: request.headers['content-type'] ?? '', body: Buffer.concat(chunks).toString() });
    response.writeHead(answers.shift() ?? 200).end(() => heard.splice(0).forEach((tell) => void tell()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  receiver = { url: `http://127.0.0.1:${port}/hook`, got, answers };
});
afterEach(async () => {
  heard = [];
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Waits for events, not for time. */
async function received(count: number): Promise<unknown[]> {
  while (receiver.got.length < count) await new Promise<void>((resolve) => heard.push(resolve));
  return receiver.got.map(({ body }) =>
    body.startsWith('{') ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body)),
  );
}

const bench = (modes: object = {}) => openBench({ modes: { webhookUrl: receiver.url, ...modes } });

test('a capture sends a webhook, a decline none (P14)', async () => {
  const shop = await bench();
  await shop.post('/_sandbox/cards/card-2', { card: 'decline_funds' });
  await shop.again({ customer_uid: 'card-2', merchant_uid: 'declined' });
  const imp_uid = text(await shop.again({ merchant_uid: 'order-1' }), 'imp_uid');
  expect(await received(1)).toEqual([{ imp_uid, merchant_uid: 'order-1', status: 'paid' }]);
});

test('a `notice_url` takes the place of the address in the console (P13)', async () => {
  const shop = await bench({ webhookUrl: 'http://127.0.0.1:1/nobody' });
  await shop.again({ notice_url: receiver.url });
  expect(await received(1)).toHaveLength(1);
});

test('where nobody named an address, nothing is sent', async () => {
  const shop = await openBench();
  await shop.again();
  expect((await shop.get('/_sandbox/webhooks')).body).toEqual({ data: [], next_cursor: null });
});

test('a cancel in the console tells its `cancellation_id` (W1)', async () => {
  const shop = await bench();
  const imp_uid = text(await shop.again(), 'imp_uid');
  await shop.post(`/_sandbox/payments/${imp_uid}/cancel`, { amount: 900 });
  const told = await received(2);
  expect(told).toContainEqual({
    imp_uid,
    merchant_uid: 'order-1',
    status: 'cancelled',
    cancellation_id: expect.any(String),
  });
});

test('the cancel API sends one only where `enable_webhook` asks for it (W2)', async () => {
  const shop = await bench();
  const imp_uid = text(await shop.again(), 'imp_uid');
  await received(1);
  await shop.post('/payments/cancel', { imp_uid, amount: 900 });
  await shop.post('/payments/cancel', { imp_uid, amount: 900, enable_webhook: true });
  expect(await received(2)).toMatchObject([{ status: 'paid' }, { status: 'cancelled' }]);
});

test('as a form, where the mode says so (W4)', async () => {
  const shop = await bench({ webhookType: 'form' });
  await shop.again();
  expect(await received(1)).toMatchObject([{ merchant_uid: 'order-1', status: 'paid' }]);
  expect(receiver.got[0]?.type).toBe('application/x-www-form-urlencoded');
});

test('one that is answered 5xx goes again a minute later, five times at most (W3)', async () => {
  const shop = await bench();
  receiver.answers.push(500, 503, 500, 502, 500, 500, 500);
  let isPutOff = shop.clock.awaited();
  await shop.again();
  for (let tries = 1; tries <= 5; tries += 1) {
    await received(tries);
    await isPutOff;
    shop.clock.advance(59_999);
    expect(receiver.got).toHaveLength(tries);
    isPutOff = shop.clock.awaited();
    shop.clock.advance(1);
  }
  await received(6);
  await shop.again({ merchant_uid: 'order-2' });
  await received(7);
  await isPutOff;
  shop.clock.advance(60_000);
  const told = (await received(8)).map((one) => Object(one).merchant_uid);
  expect(told).toEqual([...Array(6).fill('order-1'), 'order-2', 'order-2']);
});

test.each([
  ['webhook_doubled', ['paid', 'paid']],
  ['webhook_forged', ['cancelled', 'failed', 'paid', 'paid']],
  ['webhook_foreign', ['paid', 'paid']],
])('the fault %s', async (what, statuses) => {
  const shop = await bench();
  await shop.post('/_sandbox/faults', { on: 'webhook', what });
  await shop.again();
  const told = await received(statuses.length);
  expect(told.map((one) => Object(one).status).sort()).toEqual(statuses);
});

test('one that is late goes when its time has come', async () => {
  const shop = await bench();
  await shop.post('/_sandbox/faults', { on: 'webhook', what: 'webhook_late', params: { delay_ms: 5_000 } });
  const waiting = shop.clock.awaited();
  await shop.again();
  await waiting;
  expect(receiver.got).toEqual([]);
  shop.clock.advance(5_000);
  expect(await received(1)).toMatchObject([{ status: 'paid' }]);
});

test('one that is reordered goes after the next, and one that is lost does not go at all', async () => {
  const shop = await bench();
  await shop.post('/_sandbox/faults', { on: 'webhook', what: 'webhook_lost', match: { merchant_uid: 'lost' } });
  await shop.post('/_sandbox/faults', {
    on: 'webhook',
    what: 'webhook_reordered',
    times: 1,
    match: { merchant_uid: 'first' },
  });
  await shop.again({ merchant_uid: 'lost' });
  await shop.again({ merchant_uid: 'first' });
  await shop.again({ merchant_uid: 'second' });
  expect((await received(2)).map((one) => Object(one).merchant_uid).sort()).toEqual(['first', 'second']);
});
