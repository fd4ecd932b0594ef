import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { markDatabase } from '../../../src/store/fingerprint.ts';
import { keepPolicyVersion } from '../../../src/store/policy-versions.ts';
import { lockRows } from '../../support/row-lock.ts';
import { FINGERPRINT } from '../../support/world.ts';
import { newWorld, TOKEN, type World } from '../fixture.ts';
import { addSubscription } from '../rows.ts';

let world: World;
beforeAll(async () => {
  world = await newWorld();
  await keepPolicyVersion(world.database.db, 'default-1', { retryAfterDays: [1, 3, 5], minGapHours: 24 });
  await markDatabase(world.database.db, FINGERPRINT);
});
afterAll(() => world.close());

let count = 0;
async function newSubscription(): Promise<string> {
  count += 1;
  await addSubscription(world.database.db, `order-${count}`);
  return `order-${count}`;
}

async function post(path: string, body?: object, headers: Record<string, string> = {}) {
  const response = await world.app.inject({
    method: 'POST',
    url: `/v1/subscriptions/${path}`,
    headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    ...(body === undefined ? {} : { payload: body }),
  });
  return { status: response.statusCode, headers: response.headers, body: JSON.parse(response.body) };
}

test('an order answers the subscription as it stands then, and the audit knows why', async () => {
  const id = await newSubscription();
  expect(await post(`${id}/pause`, { reason: 'on holiday' })).toMatchObject({
    status: 200,
    body: { id, status: 'paused', paused_at: expect.any(String), canceled_at: null },
  });
  expect(await post(`${id}/resume`)).toMatchObject({ status: 200, body: { status: 'active', paused_at: null } });
  expect(await post(`${id}/cancel`, { at: 'period_end' })).toMatchObject({ body: { cancel_at_period_end: true } });
  expect(await post(`${id}/cancel`)).toMatchObject({ status: 200, body: { status: 'canceled', next_due_at: null } });
  const audit = await world.database.db.audit.findMany({ orderBy: { id: 'asc' } });
  expect(audit.map(({ action, reason }) => [action, reason])).toEqual([
    ['subscription.paused', 'on holiday'],
    ['subscription.resumed', 'by the API'],
    ['subscription.cancel_scheduled', 'by the API'],
    ['subscription.canceled', 'by the API'],
  ]);
  expect(await post(`${id}/resume`)).toMatchObject({
    status: 409,
    body: { detail: 'it is canceled, and that is final' },
  });
});

test('a card is changed; another one answers 409', async () => {
  const [id, other] = [await newSubscription(), await newSubscription()];
  expect(await post(`${id}/change-card`, { customer_uid: 'new' })).toMatchObject({ body: { customer_uid: 'new' } });
  expect(await post(`${other}/change-card`, { customer_uid: 'new' })).toMatchObject({
    status: 409,
    body: { detail: 'new is the card of another customer' },
  });
});

test('plan and price are changed from the next period on', async () => {
  const id = await newSubscription();
  expect(await post(`${id}/change-plan`, { plan: 'grand' })).toMatchObject({
    status: 200,
    body: { plan: 'grand', name: 'Grand tea', amount: 30_000 },
  });
  expect(await post(`${id}/change-plan`, { amount: '4000' })).toMatchObject({ body: { plan: 'grand', amount: 4_000 } });
  expect(await post(`${id}/change-plan`, { plan: 'weekly' })).toMatchObject({
    status: 409,
    body: { detail: 'it is billed every month, and weekly every week' },
  });
});

test.each([
  [{}, /nothing is to be changed/],
  [{ plan: 'gran' }, /'gran' is not a plan; did you mean grand/],
  [{ amount: '4000.5' }, /no decimals/],
  [{ amount: 0 }, /'0' is no price; write an amount above zero/],
  [{ amount: true }, /field 'amount' cannot be read/],
  [{ name: 'x'.repeat(41) }, /longer than 40/],
])('terms %j are bad input', async (body, problem) => {
  const answer = await post(`${await newSubscription()}/change-plan`, body);
  expect(answer.status).toBe(400);
  expect(answer.body.detail).toMatch(problem);
});

test('the same key and body get the stored answer, and the work is done once', async () => {
  const id = await newSubscription();
  const key = { 'idempotency-key': 'once' };
  const first = await post(`${id}/skip`, {}, key);
  const again = await post(`${id}/skip`, {}, key);
  expect(again).toMatchObject({ status: 200, body: first.body, headers: { 'idempotent-replayed': 'true' } });
  expect(await post(`${id}/skip`, { reason: 'another' }, key)).toMatchObject({ status: 409 });
  expect(await world.database.db.invoice.count({ where: { state: 'waived' } })).toBe(1);
  const other = await newSubscription();
  expect(await post(`${other}/skip`, {}, key)).toMatchObject({ status: 200 }); // another path: another request
});

test('a long path is one as well', async () => {
  const long = '가'.repeat(255);
  const path = `${encodeURIComponent(long)}/pause?${'x'.repeat(4_000)}`;
  expect(await post(path, {}, { 'idempotency-key': 'long' })).toMatchObject({ status: 404 });
});

test('eight at once under one key are one', async () => {
  const id = await newSubscription();
  const before = await world.database.db.invoice.count();
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => post(`${id}/skip`, {}, { 'idempotency-key': 'x' })),
  );
  for (const { status } of answers) expect([200, 409]).toContain(status);
  expect(await world.database.db.invoice.count()).toBe(before + 1);
});

test('a refusal is an answer as well, and a key whose work died is taken over after a minute', async () => {
  const id = await newSubscription();
  await post(`${id}/cancel`);
  const key = { 'idempotency-key': 'refused' };
  expect(await post(`${id}/pause`, {}, key)).toMatchObject({ status: 409 });
  expect(await post(`${id}/pause`, {}, key)).toMatchObject({ status: 409, headers: { 'idempotent-replayed': 'true' } });
  const { db } = world.database;
  await db.$executeRaw`UPDATE idempotency SET status = NULL, answer = NULL WHERE key = 'refused'`;
  expect((await post(`${id}/pause`, {}, key)).headers['retry-after']).toBe('1');
  await db.$executeRaw`UPDATE idempotency SET created_at = created_at - interval '2 minutes' WHERE key = 'refused'`;
  expect(await post(`${id}/pause`, {}, key)).toMatchObject({
    status: 409,
    body: { detail: expect.stringMatching(/final/) },
  });
});

/** Whoever had the key died, or threw, between the work and its answer. */
const forgetAnswer = (key: string) =>
  world.database.db.$executeRaw`UPDATE idempotency SET status = NULL, answer = NULL WHERE key = ${key}`;
const waived = (id: string) =>
  world.database.db.invoice.count({ where: { state: 'waived', subscription: { external_id: id } } });

test('what was done under a key whose answer was lost is not done again', async () => {
  const id = await newSubscription();
  const key = { 'idempotency-key': 'lost' };
  const first = await post(`${id}/skip`, {}, key);
  await forgetAnswer('lost');
  expect(await post(`${id}/skip`, {}, key)).toMatchObject({ status: 200, body: first.body });
  expect(await post(`${id}/skip`, {}, key)).toMatchObject({ headers: { 'idempotent-replayed': 'true' } });
  expect(await waived(id)).toBe(1);
});

test.each([
  ['change-card', { customer_uid: 'card-a' }, { customer_uid: 'card-b' }],
  ['change-plan', { amount: '4000', name: 'small' }, { amount: '5000', name: 'large' }],
  ['pause', {}, undefined],
])('a %s whose answer was lost does not undo what came after it', async (path, body, later) => {
  const id = await newSubscription();
  const key = { 'idempotency-key': `late-${path}` };
  await post(`${id}/${path}`, body, key);
  const stands = await (later === undefined ? post(`${id}/resume`) : post(`${id}/${path}`, later));
  await forgetAnswer(`late-${path}`);
  expect(await post(`${id}/${path}`, body, key)).toMatchObject({ status: 200, body: stands.body });
});

test('a slow request and the one that takes its key over do the work once, and answer alike', async () => {
  const id = await newSubscription();
  const lock = await lockRows(world.database.url, 'SELECT FROM subscription FOR UPDATE');
  const key = { 'idempotency-key': 'slow' };
  const slow = post(`${id}/skip`, {}, key);
  await lock.waitedForBy(1);
  await world.database.db
    .$executeRaw`UPDATE idempotency SET created_at = created_at - interval '2 minutes' WHERE key = 'slow'`;
  const later = post(`${id}/skip`, {}, key);
  await lock.waitedForBy(2);
  await lock.release();
  const [one, other] = await Promise.all([slow, later]);
  expect([one.status, other.status, other.body]).toEqual([200, 200, one.body]);
  expect(await waived(id)).toBe(1);
});

test.each([
  ['cancel', { at: 'never' }, "field 'at' cannot be read; use now or period_end"],
  ['cancel', { when: 'now' }, "there is no field 'when'; check its spelling"],
  ['pause', { reason: ' ' }, "field 'reason' cannot be read; it is empty"],
  ['change-card', { customer_uid: 'x'.repeat(81) }, "field 'customer_uid' cannot be read; it is longer than 80"],
  ['change-card', { customer_uid: 'a\0b' }, "field 'customer_uid' cannot be read; it holds a NUL character"],
  ['pause', ['reason'], 'the body is no JSON object'],
])('%s %j is bad input: nothing is done', async (path, body, detail) => {
  const id = await newSubscription();
  const answer = await post(`${id}/${path}`, body);
  expect(answer.status).toBe(400);
  expect(answer.body.detail).toContain(detail);
  expect(await world.database.db.subscription.findUniqueOrThrow({ where: { external_id: id } })).toMatchObject({
    status: 'active',
    cancel_at: null,
  });
});

test('a body of JSON that is empty is none; one that is broken is bad input', async () => {
  const id = await newSubscription();
  const send = (payload: string) =>
    world.app.inject({
      method: 'POST',
      url: `/v1/subscriptions/${id}/pause`,
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      payload,
    });
  expect((await send('')).statusCode).toBe(200);
  expect((await send('{"reason":')).statusCode).toBe(400);
  expect((await send('{"__proto__":{"reason":"x"}}')).statusCode).toBe(400);
});

test('who has no token, an unknown subscription and a bad key are told so', async () => {
  const id = await newSubscription();
  expect((await world.app.inject({ method: 'POST', url: `/v1/subscriptions/${id}/pause` })).statusCode).toBe(401);
  expect(await post('nobody/pause')).toMatchObject({ status: 404, body: { detail: 'there is no such subscription' } });
  expect(await post(`${id}/pause`, {}, { 'idempotency-key': 'a b' })).toMatchObject({ status: 400 });
});
