import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Gateway } from '../../../src/gateway/gateway.ts';
import { createPortOne } from '../../../src/gateway/portone/client.ts';
import { ALWAYS, chargeRequest, uidOf } from '../charges.ts';
import * as fake from '../fake-portone.ts';
import { type HandClock, handClock } from '../hand-clock.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const NOW_MS = 1_800_000_000_000;
let server: fake.FakePortOne;
let gateway: Gateway;
let clock: HandClock;

beforeEach(async () => {
  server = await fake.startFakePortOne();
  clock = handClock();
  gateway = createPortOne({ baseUrl: server.url, key: 'imp_test', secret: 'top-secret', clock, connections: 8 });
});
afterEach(async () => {
  await server.close();
  await gateway.close();
});

const asked = () => server.to(fake.GET_TOKEN).length;
const uid = uidOf('sub-1');

test('ten callers at once cause one getToken', async () => {
  const all = await Promise.all(Array.from({ length: 10 }, () => gateway.ready()));
  expect(all).toEqual(Array.from({ length: 10 }, () => ({ kind: 'ready', gatewayNowMs: NOW_MS })));
  expect(asked()).toBe(1);
  expect(JSON.parse(server.seen[0]?.body ?? '')).toEqual({ imp_key: 'imp_test', imp_secret: 'top-secret' });
});

test('a token with two minutes left is kept, one with less is asked for again', async () => {
  await gateway.ready();
  clock.advance(28 * MINUTE - SECOND);
  await gateway.ready();
  expect(asked()).toBe(1);
  clock.advance(SECOND);
  await gateway.ready();
  expect(asked()).toBe(2);
});

test('the time at the gateway runs on between two answers', async () => {
  await gateway.ready();
  clock.advance(90 * SECOND);
  expect(await gateway.ready()).toEqual({ kind: 'ready', gatewayNowMs: NOW_MS + 90 * SECOND });
});

test('while PortOne neither extends nor replaces its token, that token serves until its last minute', async () => {
  server.on(fake.GET_TOKEN, fake.answer(fake.tokenBody(110)));
  expect((await gateway.ready()).kind).toBe('ready');
  clock.advance(50 * SECOND);
  expect((await gateway.ready()).kind).toBe('ready');
  expect(asked()).toBe(1);
  server.on(fake.GET_TOKEN, fake.answer(fake.tokenBody(359)));
  clock.advance(SECOND);
  await gateway.ready();
  expect(asked()).toBe(2); // 59 s left: now five minutes are added
  clock.advance(3 * MINUTE);
  await gateway.ready();
  expect(asked()).toBe(2);
});

test('a token whose time is over is none', async () => {
  server.on(fake.GET_TOKEN, fake.answer(fake.tokenBody(0)));
  expect((await gateway.ready()).kind).toBe('unreachable');
});

test('a refused key pair is refused, and asked again by the next caller', async () => {
  server.on(fake.GET_TOKEN, fake.refuse(401, 'no'));
  expect((await gateway.ready()).kind).toBe('refused');
  server.on(fake.GET_TOKEN, fake.answer(fake.tokenBody(1_800)));
  expect((await gateway.ready()).kind).toBe('ready');
});

test.each([
  ['500', fake.refuse(500, 'error')],
  ['429', fake.refuse(429, 'too many')],
  ['code ≠ 0', fake.refuse(200, 'imp_key, imp_secret 파라메터가 누락되었습니다.')],
  ['a page', fake.answer('<html>')],
  ['a token that is no header', fake.answer(fake.tokenBody(1_800, 'a\r\nX-Evil: 1'))],
  ['no token', fake.answer({ code: 0, message: null, response: {} })],
])('getToken answering %s is unreachable', async (_, behaviour) => {
  server.on(fake.GET_TOKEN, behaviour);
  expect((await gateway.ready()).kind).toBe('unreachable');
  expect(await gateway.lookUp(uid)).toMatchObject({ kind: 'unclear' });
});

test('getToken is tried once more when its connection fails, not when it is silent', async () => {
  server.on(fake.GET_TOKEN, (_seen, _response, socket) => socket.destroy());
  expect((await gateway.ready()).kind).toBe('unreachable');
  expect(asked()).toBe(2);
  server.on(fake.GET_TOKEN, () => {});
  const arrived = server.next(fake.GET_TOKEN);
  const readiness = gateway.ready();
  await arrived;
  clock.advance(10 * SECOND);
  expect((await readiness).kind).toBe('unreachable');
  expect(asked()).toBe(3);
});

test('a charge answered 401 is not tried again, and makes the next ready() ask', async () => {
  server.on(fake.AGAIN, fake.refuse(401, 'expired'));
  await gateway.ready();
  expect((await gateway.charge(chargeRequest(), MINUTE, ALWAYS)).kind).toBe('unauthorized');
  expect(server.to(fake.AGAIN)).toHaveLength(1);
  await gateway.ready();
  expect(asked()).toBe(2);
});

test('a hundred charges answered 401 at once cause one getToken', async () => {
  server.on(fake.AGAIN, fake.refuse(401, 'expired'));
  await gateway.ready();
  const charges = Array.from({ length: 100 }, () => gateway.charge(chargeRequest(), MINUTE, ALWAYS));
  await Promise.all(charges);
  await Promise.all(charges.map(() => gateway.ready({ refresh: true })));
  expect(asked()).toBe(2);
});

test('refresh asks although the token in hand is fresh', async () => {
  await gateway.ready();
  const other = 'f'.repeat(40);
  server.on(fake.GET_TOKEN, fake.answer(fake.tokenBody(1_800, other)));
  server.on(fake.AGAIN, fake.answer(fake.paymentBody(uid)));
  await gateway.ready({ refresh: true });
  await gateway.charge(chargeRequest(), MINUTE, ALWAYS);
  expect(server.to(fake.AGAIN)[0]?.authorization).toBe(`Bearer ${other}`);
});

test('a look-up answered 401 gets a new token once, then is unclear', async () => {
  const path = `/payments/findAll/${uid}`;
  const other = 'f'.repeat(40);
  await gateway.ready();
  server.on(fake.GET_TOKEN, fake.answer(fake.tokenBody(1_800, other)));
  server.on(path, (seen, response, socket) => {
    const good = seen.authorization === `Bearer ${other}`;
    const behaviour = good ? fake.refuse(404, '존재하지 않는 결제정보입니다.') : fake.refuse(401, 'expired');
    behaviour(seen, response, socket);
  });
  expect(await gateway.lookUp(uid)).toEqual({ kind: 'absent' });
  expect(server.to(path)).toHaveLength(2);
  server.on(path, fake.refuse(401, 'expired'));
  expect(await gateway.lookUp(uid)).toMatchObject({ kind: 'unclear' });
  expect(server.to(path)).toHaveLength(4);
});
