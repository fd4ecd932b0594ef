import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CancelAnswer } from '../../../src/billing/cancel.ts';
import { money } from '../../../src/billing/money.ts';
import type { Gateway } from '../../../src/gateway/gateway.ts';
import type { Get } from '../../../src/gateway/portone/authorized-get.ts';
import { classifyCancel } from '../../../src/gateway/portone/cancel.ts';
import { createPortOne } from '../../../src/gateway/portone/client.ts';
import { NO_LINES } from '../../../src/gateway/portone/declines/lines.ts';
import { readOnePayment } from '../../../src/gateway/portone/payment.ts';
import { ALWAYS } from '../charges.ts';
import * as fake from '../fake-portone.ts';
import { type HandClock, handClock } from '../hand-clock.ts';

const IMP_UID = 'imps_123456789012';
const LIMIT_MS = 60_000;
const HISTORY = [{ pg_tid: 't', amount: 3_000, cancelled_at: 1, reason: 'r', cancellation_id: 'cancellation_1' }];
const cancelled = (fields = {}) => ({
  ...fake.payment('order-1', { imp_uid: IMP_UID, status: 'cancelled', cancel_amount: 3_000, cancel_history: HISTORY }),
  ...fields,
});
const ok = (response: unknown, code = 0) => ({ code, message: null, response });

describe('over HTTP', () => {
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
  const won = (minor: number) => money(minor, 'KRW');
  const cancel = () =>
    gateway.cancel(
      { impUid: IMP_UID, amount: won(3_000), checksum: won(9_900), reason: 'two months' },
      LIMIT_MS,
      ALWAYS,
    );

  const answers: [string, fake.Behaviour, CancelAnswer['kind']][] = [
    ['cancelled', fake.answer(ok(cancelled())), 'done'],
    ['cancelled, without a history', fake.answer(ok(cancelled({ cancel_history: undefined }))), 'done'],
    ['200, code ≠ 0', fake.refuse(200, '이미 전액취소된 주문입니다.'), 'refused'],
    ["401 in the gateway's shape", fake.refuse(401, 'Unauthorized'), 'unauthorized'],
    ['401 of something else', (_, response) => response.writeHead(401).end('{}'), 'unknown'],
    ['400', fake.refuse(400, 'bad request'), 'unknown'],
    ['404', fake.refuse(404, 'not found'), 'unknown'],
    ['429', fake.refuse(429, 'too many'), 'unknown'],
    ['500', fake.refuse(500, 'error'), 'unknown'],
    ['500 with a cancelled payment', fake.answer(ok(cancelled()), 500), 'unknown'],
    ['paid still, as at a company that cancels later', fake.answer(ok(cancelled({ status: 'paid' }))), 'unknown'],
    ['cancelled by nothing', fake.answer(ok(cancelled({ cancel_amount: 0 }))), 'unknown'],
    ['another payment', fake.answer(ok(cancelled({ imp_uid: 'imps_000000000001' }))), 'unknown'],
    ['code ≠ 0 beside a cancelled payment', fake.answer(ok(cancelled(), -1)), 'unknown'],
    ['code 0 and nothing', fake.answer(ok(null)), 'unknown'],
    ['a page', (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'), 'unknown'],
    ['hanging up before an answer', (_seen, _response, socket) => socket.destroy(), 'unknown'],
    ['a reset before an answer', (_seen, _response, socket) => socket.resetAndDestroy(), 'unknown'],
    [
      'a redirect that keeps the method',
      (_, response) => response.writeHead(307, { location: `${server.url}/x` }).end(),
      'unknown',
    ],
  ];
  test.each(answers)('%s', async (_, behaviour, kind) => {
    server.on(fake.CANCEL, behaviour);
    expect((await cancel()).kind).toBe(kind);
    expect(server.seen.map(({ path }) => path)).toEqual([fake.GET_TOKEN, fake.CANCEL]); // one POST, nothing else
  });

  test('silence is unknown at the time limit', async () => {
    server.on(fake.CANCEL, () => {});
    const arrived = server.next(fake.CANCEL);
    const answer = cancel();
    await arrived;
    clock.advance(LIMIT_MS);
    expect(await answer).toEqual({ kind: 'unknown', reason: 'no whole answer within 60000 ms' });
    expect(server.to(fake.CANCEL)).toHaveLength(1);
  });

  test('the request names the payment by its imp_uid, the amount, the balance that must be left, and why', async () => {
    server.on(fake.CANCEL, fake.answer(ok(cancelled())));
    expect(await cancel()).toMatchObject({
      kind: 'done',
      record: { impUid: IMP_UID, cancelMinor: 3_000 },
      cancellations: [{ cancellationId: 'cancellation_1', minor: 3_000 }],
    });
    const [first] = server.to(fake.CANCEL);
    expect(first?.method).toBe('POST');
    expect(JSON.parse(first?.body ?? '')).toEqual({
      imp_uid: IMP_UID,
      amount: 3_000,
      checksum: 9_900,
      reason: 'two months',
    });
  });

  test('dollars are sent with their cents', async () => {
    const request = { impUid: IMP_UID, amount: money(150, 'USD'), checksum: money(990, 'USD'), reason: 'r' };
    await gateway.cancel(request, LIMIT_MS, ALWAYS);
    expect(JSON.parse(server.to(fake.CANCEL)[0]?.body ?? '')).toMatchObject({ amount: 1.5, checksum: 9.9 });
  });
});

test('any status, headers and bytes give one class, and nothing but a cancelled payment of that id gives done', () => {
  const field = fc.oneof(fc.constantFrom(0, -1, '', 'paid', 'cancelled', IMP_UID, null), fc.jsonValue());
  const nearly = fc.tuple(fc.constantFrom(...Object.keys(cancelled())), field).map(([name, value]) => ({
    ...cancelled(),
    [name]: value,
  }));
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc
      .tuple(fc.oneof(nearly, fc.jsonValue()), fc.constantFrom(0, 1, -1, '0', null))
      .map(([response, code]) => Buffer.from(JSON.stringify({ code, message: '거절', response }))),
  );
  const status = fc.constantFrom(200, 201, 302, 400, 401, 404, 500);
  const type = fc.constantFrom('application/json', 'text/html', '');
  fc.assert(
    fc.property(status, type, body, (code, contentType, bytes) => {
      const answer = { kind: 'answer', status: code, headers: { 'content-type': contentType }, body: bytes } as const;
      const { kind } = classifyCancel(answer, IMP_UID);
      expect(['done', 'refused', 'unauthorized', 'unknown']).toContain(kind);
      if (kind !== 'done') return;
      const { response } = JSON.parse(Buffer.from(bytes).toString());
      expect(code).toBe(200);
      expect(response).toMatchObject({ imp_uid: IMP_UID, status: 'cancelled' });
      expect(response.cancel_amount).toBeGreaterThan(0);
    }),
    { numRuns: 2_000 },
  );
});

test('what PortOne refuses with is one line without a card number', () => {
  const body = Buffer.from(JSON.stringify({ code: 1, message: '거절\n9540490012341569', response: null }));
  const headers = { 'content-type': 'application/json' };
  expect(classifyCancel({ kind: 'answer', status: 200, headers, body }, IMP_UID)).toEqual({
    kind: 'refused',
    reason: '거절 ****',
  });
});

const served =
  (body: unknown, status = 200): Get =>
  async () => ({
    kind: 'answer',
    status,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(body)),
  });

test.each([
  ['a payment', ok(cancelled()), 200, 'found'],
  ["PortOne's own 404", { code: -1, message: '존재하지 않는 결제정보입니다.', response: null }, 404, 'absent'],
  ['a 404 of something else', { error: 'not found' }, 404, 'unclear'],
  ['200 with the words of the 404', { code: -1, message: '존재하지 않는', response: null }, 200, 'unclear'],
  ['500', ok(cancelled()), 500, 'unclear'],
  ['another payment', ok(cancelled({ imp_uid: 'imps_000000000001' })), 200, 'unclear'],
  ['a payment whose amount cannot be read', ok(cancelled({ cancel_amount: '3000' })), 200, 'unclear'],
] as const)('asked for one payment, %s is %s', async (_, body, status, kind) => {
  expect((await readOnePayment(served(body, status), IMP_UID, NO_LINES)).kind).toBe(kind);
});

test('a test payment is asked for too, and an id is put into the path as one piece', async () => {
  const paths: string[] = [];
  const get: Get = async (path) => {
    paths.push(path);
    return { kind: 'unclear', reason: 'down' };
  };
  await readOnePayment(get, '../users', NO_LINES);
  expect(paths).toEqual(['/payments/..%2Fusers?include_sandbox=true']);
});
