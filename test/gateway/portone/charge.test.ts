import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ChargeAnswer } from '../../../src/billing/charge.ts';
import { money } from '../../../src/billing/money.ts';
import type { Gateway } from '../../../src/gateway/gateway.ts';
import { createPortOne } from '../../../src/gateway/portone/client.ts';
import { ALWAYS, chargeRequest, uidOf } from '../charges.ts';
import { DUPLICATE } from '../fake-books.ts';
import * as fake from '../fake-portone.ts';
import { type HandClock, handClock } from '../hand-clock.ts';

const UID = uidOf('sub-1');
const LIMIT_MS = 60_000;
let server: fake.FakePortOne;
let gateway: Gateway;
let clock: HandClock;

beforeEach(async () => {
  server = await fake.startFakePortOne();
  clock = handClock();
  gateway = createPortOne({ baseUrl: server.url, key: 'imp_test', secret: 'top-secret', clock, connections: 2 });
  await gateway.ready();
});
afterEach(async () => {
  await server.close();
  await gateway.close();
});

const charge = () => gateway.charge(chargeRequest(), LIMIT_MS, ALWAYS);
const json = { 'content-type': 'application/json' };
const paid = JSON.stringify(fake.paymentBody(UID));
const MEGABYTE = 1_048_576;

/** Raw bytes, past node's own rules for a server. */
const raw =
  (text: string, end: 'keep' | 'close' | 'reset'): fake.Behaviour =>
  (_seen, _response, socket) => {
    socket.write(text, () => {
      if (end === 'close') socket.end();
      if (end === 'reset') socket.resetAndDestroy();
    });
  };

const answers: [string, fake.Behaviour, ChargeAnswer['kind']][] = [
  ['200, code 0, paid', fake.answer(fake.paymentBody(UID)), 'paid'],
  [
    '200, code 0, failed',
    fake.answer(fake.paymentBody(UID, { status: 'failed', fail_reason: '한도초과' })),
    'declined',
  ],
  ['200, code ≠ 0, says that the id was used', fake.refuse(200, DUPLICATE), 'refused'],
  ['200, code ≠ 0, other', fake.refuse(200, '등록되지 않은 구매자입니다.'), 'refused'],
  ["401 in the gateway's shape", fake.refuse(401, 'Unauthorized'), 'unauthorized'],
  ['401 of something else', (_, response) => response.writeHead(401, json).end('{}'), 'unknown'],
  ['429', fake.refuse(429, 'too many'), 'unknown'],
  ['400', fake.refuse(400, 'bad request'), 'unknown'],
  ['404', fake.refuse(404, 'not found'), 'unknown'],
  ['500', fake.refuse(500, 'error'), 'unknown'],
  ['500 with a paid record', fake.answer(fake.paymentBody(UID), 500), 'unknown'],
  ['502 with a page', (_, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<p>'), 'unknown'],
  ['an empty body', (_, response) => response.writeHead(200, json).end(), 'unknown'],
  [
    'another content type',
    (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(paid),
    'unknown',
  ],
  ['half of the JSON, well framed', (_, response) => response.writeHead(200, json).end(paid.slice(0, 99)), 'unknown'],
  [
    'a body shorter than its length',
    raw(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n${paid}`, 'close'),
    'unknown',
  ],
  [
    'a chunked body without its end',
    raw(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"cod\r\n`,
      'close',
    ),
    'unknown',
  ],
  ['no HTTP at all', raw('SSH-2.0-OpenSSH_9.2\r\n', 'close'), 'unknown'],
  [
    'an unknown protocol switch',
    raw('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', 'close'),
    'unknown',
  ],
  ['ready', fake.answer(fake.paymentBody(UID, { status: 'ready', paid_at: 0 })), 'unknown'],
  ['pending', fake.answer(fake.paymentBody(UID, { status: 'pending', paid_at: 0 })), 'unknown'],
  ['cancelled', fake.answer(fake.paymentBody(UID, { status: 'cancelled', cancel_amount: 9_900 })), 'unknown'],
  ['paid, for another id', fake.answer(fake.paymentBody(uidOf('sub-2'))), 'unknown'],
  ['an amount that is no number', fake.answer(fake.paymentBody(UID, { amount: '9900' })), 'unknown'],
  ['code ≠ 0 beside a paid record', fake.answer({ code: -1, message: 'no', response: fake.payment(UID) }), 'unknown'],
  ['code 0 and nothing', fake.answer({ code: 0, message: null, response: null }), 'unknown'],
  ['hanging up before an answer', (_seen, _response, socket) => socket.destroy(), 'unknown'],
  ['a reset before an answer', (_seen, _response, socket) => socket.resetAndDestroy(), 'unknown'],
  ['a reset within the answer', raw('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"', 'reset'), 'unknown'],
  ['2 MB', (_, response) => response.writeHead(200, json).end(Buffer.alloc(2 * MEGABYTE, ' ')), 'unknown'],
  [
    'a body that unpacks into 50 MB',
    (_, response) =>
      response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50 * MEGABYTE, ' '))),
    'unknown',
  ],
  ['a redirect', (_, response) => response.writeHead(302, { location: `${server.url}${fake.AGAIN}` }).end(), 'unknown'],
  [
    'a redirect that keeps the method',
    (_, response) => response.writeHead(307, { location: `${server.url}/x` }).end(),
    'unknown',
  ],
];

test.each(answers)('%s', async (_, behaviour, kind) => {
  server.on(fake.AGAIN, behaviour);
  expect((await charge()).kind).toBe(kind);
  expect(server.seen.map(({ path }) => path)).toEqual([fake.GET_TOKEN, fake.AGAIN]); // one POST, nothing else
});

test('silence is unknown at the time limit, and the late answer is not awaited', async () => {
  server.on(fake.AGAIN, () => {});
  const arrived = server.next(fake.AGAIN);
  const answer = charge();
  await arrived;
  clock.advance(LIMIT_MS);
  expect(await answer).toEqual({ kind: 'unknown', reason: 'no whole answer within 60000 ms' });
  expect(server.to(fake.AGAIN)).toHaveLength(1);
});

test('a body that drips past the time limit is unknown, however far it came', async () => {
  server.on(fake.AGAIN, (_, response) => {
    response.writeHead(200, json).write(paid.slice(0, -1)); // only the last brace is missing
  });
  const arrived = server.next(fake.AGAIN);
  const answer = charge();
  await arrived;
  clock.advance(LIMIT_MS);
  expect((await answer).kind).toBe('unknown');
});

test('nothing listening is not sent', async () => {
  const nowhere = await fake.startFakePortOne();
  nowhere.on(fake.GET_TOKEN, (_, response) => {
    response.writeHead(200, { ...json, connection: 'close' }).end(JSON.stringify(fake.tokenBody(1_800)));
  });
  const lonely = createPortOne({ baseUrl: nowhere.url, key: 'imp_test', secret: 'top-secret', clock, connections: 1 });
  await lonely.ready();
  await nowhere.close();
  expect(await lonely.charge(chargeRequest(), LIMIT_MS, ALWAYS)).toMatchObject({ kind: 'not-sent' });
  await lonely.close();
});

test('without a token nothing is sent', async () => {
  const early = createPortOne({ baseUrl: server.url, key: 'imp_test', secret: 'top-secret', clock, connections: 1 });
  expect(await early.charge(chargeRequest(), LIMIT_MS, ALWAYS)).toMatchObject({ kind: 'not-sent' });
  expect(server.to(fake.AGAIN)).toHaveLength(0);
  await early.close();
});

test('the request says what was asked, in major units, and nothing that was not', async () => {
  server.on(fake.AGAIN, fake.answer(fake.paymentBody(UID)));
  await charge();
  const [first] = server.to(fake.AGAIN);
  expect(first).toMatchObject({ method: 'POST', authorization: `Bearer ${fake.TOKEN}`, userAgent: 'maedal' });
  expect(JSON.parse(first?.body ?? '')).toEqual({
    customer_uid: 'card-1',
    merchant_uid: UID,
    amount: 9_900,
    currency: 'KRW',
    name: '월간 구독',
    tax_free: 0,
    custom_data: chargeRequest().customData,
  });
});

test('dollars are sent with their cents, and buyer and VAT when given', async () => {
  server.on(fake.AGAIN, fake.answer(fake.paymentBody(UID, { amount: 9.9, currency: 'USD' })));
  const request = chargeRequest({
    amount: money(990, 'USD'),
    taxFreeMinor: 100,
    vatMinor: 0,
    buyerName: '김하나',
    buyerEmail: 'hana@example.com',
    buyerTel: '010-0000-0000',
  });
  const answer = await gateway.charge(request, LIMIT_MS, ALWAYS);
  expect(JSON.parse(server.to(fake.AGAIN)[0]?.body ?? '')).toMatchObject({
    amount: 9.9,
    currency: 'USD',
    tax_free: 1,
    vat_amount: 0,
    buyer_name: '김하나',
    buyer_email: 'hana@example.com',
    buyer_tel: '010-0000-0000',
  });
  expect(answer).toMatchObject({ kind: 'paid', record: { amount: { minor: 990, currency: 'USD' } } });
});

test('a repeated id is told apart from other refusals', async () => {
  server.on(fake.AGAIN, fake.refuse(200, DUPLICATE));
  expect(await charge()).toEqual({ kind: 'refused', duplicate: true, decline: { class: 'verify', reason: DUPLICATE } });
  server.on(fake.AGAIN, fake.refuse(200, '결제승인에 실패하였습니다. [2116]개인 월 한도금액 초과'));
  expect(await charge()).toMatchObject({ kind: 'refused', duplicate: false, decline: { class: 'funds' } });
});

test('a charge asks for its webhook exactly where an address for webhooks is given', async () => {
  server.on(fake.AGAIN, fake.answer(fake.paymentBody(UID)));
  const noticeUrl = 'https://billing.example.com/webhooks/portone';
  const given = { baseUrl: server.url, key: 'imp_test', secret: 'top-secret', clock, connections: 2 };
  const asking = createPortOne({ ...given, noticeUrl });
  await asking.ready();
  await asking.charge(chargeRequest(), LIMIT_MS, ALWAYS);
  await asking.close();
  await charge();
  const [told, untold] = server.to(fake.AGAIN).map(({ body }) => new Map(Object.entries(JSON.parse(body))));
  expect(told?.get('notice_url')).toBe(noticeUrl);
  expect(untold?.has('notice_url')).toBe(false);
});
