import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newWorld, type World } from '../fixture.ts';
import { addSubscription } from '../rows.ts';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
beforeEach(async () => {
  await world.database.db.$executeRaw`TRUNCATE customer CASCADE`;
});
afterAll(() => world.close());

type Item = { id: string };
const get = async (url: string) => {
  const response = await world.api(url);
  return { status: response.statusCode, body: response.json() };
};

describe('a subscription', () => {
  test("is found by the merchant's own id and shown as it was agreed", async () => {
    const { db } = world.database;
    await addSubscription(db, 'sub/1 가', { name: '<b>차</b>' });
    const expected = {
      id: 'sub/1 가',
      customer_id: 'cust-sub/1 가',
      plan: null,
      name: '<b>차</b>',
      amount: 9900,
      currency: 'KRW',
      interval: 'month',
      interval_count: 1,
      anchor_local: '2027-01-31T10:00:00',
      timezone: 'Asia/Seoul',
      status: 'active',
      access: 'full',
      next_due_at: '2027-02-28T01:00:00Z',
      trial_until: null,
      ends_after: null,
      cancel_at_period_end: false,
      canceled_at: null,
      paused_at: null,
      customer_uid: 'uid-sub/1 가',
      channel: 'default',
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/),
    };
    expect(await get(`/v1/subscriptions/${encodeURIComponent('sub/1 가')}`)).toMatchObject({
      status: 200,
      body: expected,
    });
    expect((await get('/v1/subscriptions')).body).toEqual({ data: [expected], next_cursor: null });
    expect(await get('/v1/subscriptions/sub')).toMatchObject({ status: 404 });
    expect(await get(`/v1/subscriptions/${encodeURIComponent('\0')}`)).toMatchObject({ status: 404 });
  });

  test('lists are filtered and paged', async () => {
    const { db } = world.database;
    for (let index = 0; index < 5; index += 1) {
      await addSubscription(db, `sub-${index}`, { status: index === 3 ? 'past_due' : 'active' });
    }
    const first = (await get('/v1/subscriptions?status=active,trialing&limit=3')).body;
    expect(first.data.map((item: Item) => item.id)).toEqual(['sub-4', 'sub-2', 'sub-1']);
    const second = (await get(`/v1/subscriptions?status=active,trialing&limit=3&cursor=${first.next_cursor}`)).body;
    expect(second.data.map((item: Item) => item.id)).toEqual(['sub-0']);
    expect((await get('/v1/subscriptions?customer_id=cust-sub-3')).body.data).toHaveLength(1);
  });
});
