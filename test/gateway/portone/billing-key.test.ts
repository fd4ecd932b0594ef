import { expect, test } from '@jest/globals';
import type { Get } from '../../../src/gateway/portone/authorized-get.ts';
import { readBillingKey } from '../../../src/gateway/portone/billing-key.ts';

const stored = {
  customer_uid: 'card-1',
  sandbox: false,
  pg_provider: 'nice_v2',
  pg_id: 'nictest04m',
  card_name: 'BC카드',
  card_number: '95404900****1569',
  customer_name: '김하나',
};

const get =
  (body: unknown, status = 200): Get =>
  async () => ({
    kind: 'answer',
    status,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(body)),
  });
const ok = (response: unknown) => ({ code: 0, message: null, response });
const no = (message: string, code = 1) => ({ code, message, response: null });

test('a stored key is told without its owner', async () => {
  expect(await readBillingKey(get(ok(stored)), 'card-1')).toEqual({
    kind: 'found',
    sandbox: false,
    pgProvider: 'nice_v2',
    cardName: 'BC카드',
    cardNumberMasked: '95404900****1569',
  });
});

test('a key whose card is hidden, or not masked, is found without a number', async () => {
  const hidden = { customer_uid: 'card-1', sandbox: true, card_name: null, card_number: null };
  expect(await readBillingKey(get(ok(hidden)), 'card-1')).toMatchObject({ kind: 'found', cardNumberMasked: null });
  const open = { ...stored, card_number: '9540490012341569' };
  expect(await readBillingKey(get(ok(open)), 'card-1')).toMatchObject({ kind: 'found', cardNumberMasked: null });
});

test.each([
  ['200 and a sentence', no('요청하신 customer_uid(card-1)로 등록된 정보를 찾을 수 없습니다.'), 200],
  ['404', no('no such key', -1), 404],
] as const)('an unknown key, answered as %s, is absent', async (_, body, status) => {
  expect(await readBillingKey(get(body, status), 'card-1')).toEqual({ kind: 'absent' });
});

test.each([
  ['another refusal', no('일시적인 오류가 발생했습니다'), 200],
  ['404 of another server', { error: 'nginx' }, 404],
  ['500', no('error'), 500],
  ['another key', ok({ ...stored, customer_uid: 'card-2' }), 200],
  ['no key', ok([]), 200],
] as const)('%s is unclear', async (_, body, status) => {
  expect(await readBillingKey(get(body, status), 'card-1')).toMatchObject({ kind: 'unclear' });
});

test('an uid is put into the path as one piece', async () => {
  const paths: string[] = [];
  const noting: Get = async (path) => {
    paths.push(path);
    return { kind: 'unclear', reason: 'none' };
  };
  await readBillingKey(noting, '고객/1?');
  expect(paths).toEqual(['/subscribe/customers/%EA%B3%A0%EA%B0%9D%2F1%3F']);
});
