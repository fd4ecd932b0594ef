import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { markDatabase } from '../../../src/store/fingerprint.ts';
import { FINGERPRINT } from '../../support/world.ts';
import { newWorld, TOKEN, type World } from '../fixture.ts';

let world: World;
beforeAll(async () => {
  world = await newWorld();
  await markDatabase(world.database.db, FINGERPRINT);
  await world.database.setNow(DateTime.fromISO('2027-01-31T00:00:00Z'));
});
afterAll(() => world.close());

const ROW = {
  subscription_id: 'sub-1',
  customer_id: 'member-1',
  customer_uid: 'card-1',
  name: '월간 원두',
  amount: 9_900,
  currency: 'KRW',
  interval: 'month',
  interval_count: 1,
  anchor_at: '2027-01-31',
};

async function post(body: unknown, headers: Record<string, string> = {}) {
  const response = await world.app.inject({
    method: 'POST',
    url: '/v1/subscriptions',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
    payload: JSON.stringify(body),
  });
  return { status: response.statusCode, body: JSON.parse(response.body), headers: response.headers };
}
const count = () => world.database.db.subscription.count();

test('a subscription is made of one row, and the same row again is the same subscription', async () => {
  expect(await post(ROW)).toMatchObject({
    status: 201,
    body: {
      id: 'sub-1',
      customer_id: 'member-1',
      amount: 9_900,
      status: 'active',
      next_due_at: '2027-01-31T01:00:00Z',
    },
  });
  expect(await post(ROW)).toMatchObject({ status: 200, body: { id: 'sub-1' } });
  expect(await count()).toBe(1);
});

test('under one key it is answered from store, also after it was changed', async () => {
  const key = { 'idempotency-key': 'new' };
  const first = await post({ ...ROW, subscription_id: 'sub-2', customer_uid: 'card-2' }, key);
  await world.database.db.$executeRaw`UPDATE subscription SET status = 'paused' WHERE external_id = 'sub-2'`;
  const again = await post({ ...ROW, subscription_id: 'sub-2', customer_uid: 'card-2' }, key);
  expect(again).toMatchObject({ status: 201, body: first.body, headers: { 'idempotent-replayed': 'true' } });
});

test('where its answer was lost, whoever takes the key over makes no second one', async () => {
  const key = { 'idempotency-key': 'lost' };
  const row = { ...ROW, subscription_id: 'sub-lost', customer_uid: 'card-lost' };
  const first = await post(row, key);
  await world.database.db.$executeRaw`
    UPDATE idempotency SET status = NULL, answer = NULL, created_at = created_at - interval '2 minutes' WHERE key = 'lost'`;
  const before = await count();
  expect(await post(row, key)).toMatchObject({ status: 200, body: first.body }); // its id is the key here
  expect(await count()).toBe(before);
});

test.each([
  [{ ...ROW, amount: 10_000 }, /subscription_id 'sub-1'/],
  [
    { ...ROW, subscription_id: 'sub-3', amount: '9900.5', curency: 'KRW' },
    /'curency' is not a column; did you mean currency/,
  ],
  [
    { ...ROW, subscription_id: 'sub-3', amount: '9900.5', interval: 'moth' },
    /amount: .*no decimals.*; interval: 'moth'/,
  ],
  [{ ...ROW, subscription_id: 'sub-3', test_card: 'approve' }, /test_card/],
  [{ ...ROW, subscription_id: undefined }, /subscription_id/],
  [[ROW], /a row must be an object/],
])('%j is refused with everything that is wrong with it, and nothing is made', async (body, problem) => {
  const before = await count();
  const answer = await post(body);
  expect(answer.status).toBe(400);
  expect(answer.body.detail).toMatch(problem);
  expect(await count()).toBe(before);
});

test('in a database of another installation nothing is made', async () => {
  const { db } = world.database;
  await db.$executeRaw`UPDATE control SET fingerprint = 'another'`;
  expect(await post({ ...ROW, subscription_id: 'sub-4' })).toMatchObject({ status: 409 });
  await db.$executeRaw`UPDATE control SET fingerprint = ${FINGERPRINT}`;
});
