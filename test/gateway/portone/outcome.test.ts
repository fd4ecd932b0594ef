import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NO_LINES } from '../../../src/gateway/portone/declines/lines.ts';
import type { Answer } from '../../../src/gateway/portone/exchange.ts';
import { classify } from '../../../src/gateway/portone/outcome.ts';
import { uidOf } from '../charges.ts';
import { payment } from '../fake-portone.ts';

const UID = uidOf('sub-1');
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

const answerOf = (status: number, body: Uint8Array | string, headers: Answer['headers'] = JSON_TYPE): Answer => ({
  kind: 'answer',
  status,
  headers,
  body: Buffer.from(body),
});
const enveloped = (response: unknown, code: unknown = 0, message: unknown = null) =>
  JSON.stringify({ code, message, response });

/** What the protocol calls the exact paid shape, said a second time and differently than in the code. */
function isExactlyPaid(answer: Answer): boolean {
  if (answer.status !== 200 || !String(answer.headers['content-type']).startsWith('application/json')) return false;
  if (answer.headers['content-encoding'] !== undefined) return false;
  const { code, response } = JSON.parse(Buffer.from(answer.body).toString());
  return (
    code === 0 && response.status === 'paid' && response.merchant_uid === UID && typeof response.amount === 'number'
  );
}

const status = fc.oneof(fc.constant(200), fc.constantFrom(401, 404, 429, 500), fc.integer({ min: 200, max: 599 }));
const headers = fc.oneof(
  fc.constant(JSON_TYPE),
  fc.dictionary(fc.constantFrom('content-type', 'content-encoding', '__proto__', 'x'), fc.string()),
  fc.constant({ 'content-type': ['application/json', 'application/json'] }),
);
const field = fc.oneof(fc.constantFrom(0, -1, '', 'paid', 'failed', 'KRW', UID, null, 9_900), fc.jsonValue());
const nearlyPayment = fc
  .record({
    broken: fc.subarray(Object.keys(payment(UID)), { maxLength: 3 }),
    values: fc.array(field, { minLength: 3, maxLength: 3 }),
    dropped: fc.boolean(),
  })
  .map(({ broken, values, dropped }) => {
    const changed = broken.map((name, index) => [name, dropped ? undefined : values[index]]);
    return { ...payment(UID), ...Object.fromEntries(changed) };
  });
const body = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
  fc.json().map((text) => Buffer.from(text)),
  fc
    .tuple(fc.oneof(nearlyPayment, fc.jsonValue()), fc.oneof(fc.constantFrom(0, 1, -1, '0', null), fc.jsonValue()))
    .map(([response, code]) => Buffer.from(enveloped(response, code, code === 0 ? null : '거절'))),
);

test('any status, headers and bytes give one class, and nothing but the exact paid shape gives paid', () => {
  const KINDS = ['paid', 'declined', 'refused', 'unauthorized', 'unknown'];
  fc.assert(
    fc.property(status, headers, body, (code, fields, bytes) => {
      const answer = answerOf(code, bytes, fields);
      const { kind } = classify(answer, UID, NO_LINES);
      expect(KINDS).toContain(kind);
      if (kind === 'paid') expect(isExactlyPaid(answer)).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

test('no cut of a paid answer is paid', () => {
  const whole = Buffer.from(enveloped(payment(UID)));
  for (let length = 0; length < whole.length; length += 1) {
    expect(classify(answerOf(200, whole.subarray(0, length)), UID, NO_LINES).kind).toBe('unknown');
  }
  expect(classify(answerOf(200, whole), UID, NO_LINES).kind).toBe('paid');
});

test('only a failed connect before the wire is not sent; whatever else was lost is unknown', () => {
  expect(classify({ kind: 'not-sent', reason: 'no connection: ECONNREFUSED' }, UID, NO_LINES).kind).toBe('not-sent');
  expect(
    classify({ kind: 'lost', reason: 'the connection failed: ECONNRESET', timedOut: false }, UID, NO_LINES).kind,
  ).toBe('unknown');
  expect(
    classify({ kind: 'lost', reason: 'no whole answer within 60000 ms', timedOut: true }, UID, NO_LINES).kind,
  ).toBe('unknown');
});

test.each([
  ['a nest of 200,000 lists', '['.repeat(200_000) + ']'.repeat(200_000)],
  ['an amount beyond all numbers', enveloped(payment(UID)).replace('9900', '1e400')],
  ['a text that is no UTF-8', Buffer.from(enveloped(payment(UID, { name: 'café' })), 'latin1')],
  ['bytes that are no UTF-8', Buffer.concat([Buffer.from(enveloped(payment(UID))), Buffer.from([0xff])])],
  [
    'a prototype in place of fields',
    `{"code":0,"message":null,"response":{"__proto__":${JSON.stringify(payment(UID))}}}`,
  ],
])('%s is unknown', (_, text) => {
  expect(classify(answerOf(200, text), UID, NO_LINES).kind).toBe('unknown');
});

test('plain JSON that is said to be packed is unknown', () => {
  const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' };
  expect(classify(answerOf(200, enveloped(payment(UID)), headers), UID, NO_LINES).kind).toBe('unknown');
});

test('new fields anywhere change nothing', () => {
  const plain = classify(answerOf(200, enveloped(payment(UID))), UID, NO_LINES);
  const grown = { code: 0, message: null, response: { ...payment(UID), new_field: { a: [1] } }, trace_id: 'x' };
  expect(classify(answerOf(200, JSON.stringify(grown)), UID, NO_LINES)).toEqual(plain);
});

test('fields that decide nothing may be missing or odd', () => {
  const odd = {
    ...payment(UID),
    sandbox: 'yes',
    started_at: 'today',
    paid_at: 1e300,
    pg_provider: 7,
    customer_uid: null,
  };
  expect(classify(answerOf(200, enveloped(odd)), UID, NO_LINES)).toMatchObject({
    kind: 'paid',
    record: { sandbox: null, startedAtMs: null, paidAtMs: null, customerUid: null },
  });
});

test('an amount that is none of its currency is paid without an amount: the core reviews it', () => {
  expect(classify(answerOf(200, enveloped(payment(UID, { amount: 0.5 }))), UID, NO_LINES)).toMatchObject({
    kind: 'paid',
    record: { amount: null },
  });
});

test('a refusal that hides a payment of ours shows it, one of another id does not', () => {
  expect(classify(answerOf(200, enveloped(payment(UID), -1, '거절')), UID, NO_LINES)).toMatchObject({
    kind: 'unknown',
    record: { merchantUid: UID },
  });
  expect(classify(answerOf(200, enveloped(payment('another'))), UID, NO_LINES)).toEqual({
    kind: 'unknown',
    reason: 'answered for another merchant_uid',
  });
});

test('what is kept of an answer holds nothing of the buyer and no open card number', () => {
  const told = payment(UID, {
    buyer_name: '김하나',
    buyer_email: 'hana@example.com',
    buyer_tel: '010-1234-5678',
    customer_name: '김하나',
    custom_data: '{"name":"김하나"}',
    receipt_url: 'https://example.com/?who=hana',
    card_number: '9540490012341569',
    card_name: 'BC카드 9540-4900-1234-1569',
    name: '구독\u0000\u202e\n9540490012341569',
  });
  const answer = classify(answerOf(200, enveloped(told)), UID, NO_LINES);
  expect(JSON.stringify(answer)).not.toMatch(/김하나|hana|010-|95404900|9540-4900/);
  expect(answer).toMatchObject({
    record: { raw: { name: '구독\ufffd ****', card_name: 'BC카드 ****', amount: 9_900 } },
  });
});

test('a masked card number is kept', () => {
  const answer = classify(answerOf(200, enveloped(payment(UID, { card_number: '95404900****1569' }))), UID, NO_LINES);
  expect(answer).toMatchObject({ record: { raw: { card_number: '95404900****1569' } } });
});
