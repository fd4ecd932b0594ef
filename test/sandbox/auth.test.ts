import { expect, test } from '@jest/globals';
import { CHARGE, call, number, openBench, text, tokenFrom } from './fixture.ts';

const PAIR = { imp_key: 'imp_sandbox', imp_secret: 'sandbox_secret' };
const GET_TOKEN = '/users/getToken';
const HALF_HOUR_MS = 1_800_000;

test('A1 a valid pair gets a token for at most half an hour, in whole seconds', async () => {
  const bench = await openBench();
  const now = Math.floor(bench.clock.nowMs() / 1_000);
  expect(await bench.post(GET_TOKEN, PAIR)).toMatchObject({
    status: 200,
    code: 0,
    message: null,
    response: { access_token: expect.stringMatching(/^[0-9a-f]{40}$/), now, expired_at: now + 1_800 },
  });
});

test('A2 a form gets the same token as JSON', async () => {
  const bench = await openBench();
  const answer = await bench.postForm(GET_TOKEN, 'imp_key=imp_sandbox&imp_secret=sandbox_secret');
  expect(answer).toMatchObject({ status: 200, response: { access_token: await tokenFrom(bench.url) } });
});

test('A3 asking again within the half hour gives the same token', async () => {
  const bench = await openBench();
  const first = await bench.post(GET_TOKEN, PAIR);
  bench.clock.advance(60_000);
  const second = await bench.post(GET_TOKEN, PAIR);
  expect(text(second, 'access_token')).toBe(text(first, 'access_token'));
  expect(number(second, 'expired_at')).toBe(number(first, 'expired_at'));
  expect(number(second, 'now')).toBe(number(first, 'now') + 60);
});

test('A4 asking within the last minute gives the same token five minutes more', async () => {
  const bench = await openBench();
  const first = await bench.post(GET_TOKEN, PAIR);
  bench.clock.advance(HALF_HOUR_MS - 59_000);
  const second = await bench.post(GET_TOKEN, PAIR);
  expect(text(second, 'access_token')).toBe(text(first, 'access_token'));
  expect(number(second, 'expired_at')).toBe(number(first, 'expired_at') + 300);
});

test('A5 asking after expiry gives another token, and the old one is refused', async () => {
  const bench = await openBench();
  const first = await bench.post(GET_TOKEN, PAIR);
  bench.clock.advance(HALF_HOUR_MS);
  const old = { headers: { authorization: text(first, 'access_token') } };
  expect((await call(`${bench.url}/payments/imps_1`, old)).status).toBe(401);
  const second = await bench.post(GET_TOKEN, PAIR);
  expect(text(second, 'access_token')).not.toBe(text(first, 'access_token'));
  expect(number(second, 'expired_at')).toBe(number(second, 'now') + 1_800);
  expect((await call(`${bench.url}/payments/imps_1`, old)).status).toBe(401);
});

test('A6 a wrong secret and an unknown key are refused with 401', async () => {
  const bench = await openBench();
  const refused = { status: 401, code: -1, response: null };
  expect(await bench.post(GET_TOKEN, { ...PAIR, imp_secret: 'wrong' })).toMatchObject(refused);
  expect(await bench.post(GET_TOKEN, { ...PAIR, imp_key: 'unknown' })).toMatchObject(refused);
});

test('A6 other key pairs can be configured instead', async () => {
  const sandbox = await openBench({
    keys: new Map([
      ['imp_sandbox', 'sandbox_secret'],
      ['other', 'pair'],
    ]),
  });
  expect((await sandbox.post(GET_TOKEN, { imp_key: 'other', imp_secret: 'pair' })).code).toBe(0);
});

test.each([400, 200] as const)('A7 a missing key or secret is named, with HTTP %i by mode', async (status) => {
  const bench = await openBench({ modes: { missingCredentialsStatus: status } });
  expect(await bench.post(GET_TOKEN, { imp_key: 'imp_sandbox' })).toMatchObject({
    status,
    code: -1,
    message: 'imp_key, imp_secret 파라메터가 누락되었습니다.',
    response: null,
  });
});

test('A8 any call without a token or with a bad one is refused with 401', async () => {
  const { url } = await openBench();
  const refused = { status: 401, code: -1, response: null };
  expect(await call(`${url}/payments/imps_1`)).toMatchObject(refused);
  const headers = { authorization: 'f'.repeat(40), 'content-type': 'application/json' };
  const body = JSON.stringify(CHARGE);
  expect(await call(`${url}/subscribe/payments/again`, { method: 'POST', headers, body })).toMatchObject(refused);
});

test('A9 the token is taken as it is and after Bearer', async () => {
  const { url } = await openBench();
  const token = await tokenFrom(url);
  for (const authorization of [token, `Bearer ${token}`]) {
    expect((await call(`${url}/payments/imps_1`, { headers: { authorization } })).status).toBe(404);
  }
});

test.each([
  [true, 404],
  [false, 401],
] as const)('A10 X-ImpTokenHeader taken: %p', async (legacyTokenHeader, status) => {
  const { url } = await openBench({ modes: { legacyTokenHeader } });
  const headers = { 'x-imptokenheader': await tokenFrom(url) };
  expect((await call(`${url}/payments/imps_1`, { headers })).status).toBe(status);
});

test('A11 unknown fields in requests are ignored', async () => {
  const bench = await openBench();
  expect((await bench.again({ brand_new_field: { deep: [1] } })).code).toBe(0);
});

test('A12 a URL may end in a slash', async () => {
  const bench = await openBench();
  expect((await bench.post('/users/getToken/', PAIR)).code).toBe(0);
  expect((await bench.post('/subscribe/payments/again/', CHARGE)).code).toBe(0);
  expect((await bench.get('/payments/find/order-1/')).code).toBe(0);
});

test('A13 ten clients at once get one token', async () => {
  const { url } = await openBench();
  expect(new Set(await Promise.all(Array.from({ length: 10 }, () => tokenFrom(url)))).size).toBe(1);
});
