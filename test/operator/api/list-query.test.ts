import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
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

const get = async (url: string) => {
  const response = await world.api(url);
  return { status: response.statusCode, body: response.json(), type: response.headers['content-type'] };
};

test.each([
  ['invoices?state=paid', "there is no parameter 'state'"],
  ['invoices?status=settled', "parameter 'status'"],
  ['invoices?status=', "parameter 'status'"],
  ['invoices?status=paid,', "parameter 'status'"],
  ['invoices?status[not]=paid', "there is no parameter 'status[not]'"],
  ['invoices?status=paid&status=open', "parameter 'status'"],
  ['invoices?limit=0', "parameter 'limit'"],
  ['invoices?limit=1001', "parameter 'limit'"],
  ['invoices?limit=-1', "parameter 'limit'"],
  ['invoices?limit=1e3', "parameter 'limit'"],
  ['invoices?limit=', "parameter 'limit'"],
  ['invoices?cursor=', "parameter 'cursor'"],
  ['invoices?cursor=bm90IGEgY3Vyc29y', "parameter 'cursor'"],
  ['invoices?period=2027-1-31', "parameter 'period'"],
  ['invoices?period=2026-02-30', "parameter 'period' cannot be read; write the local start date"],
  [
    'invoices?period_from=2026-03-01&period_to=2026-02-28',
    "parameter 'period_from' cannot be read; it is after period_to",
  ],
  ['invoices?period_from=tomorrow', "parameter 'period_from'"],
  ['invoices?subscription_id=', "parameter 'subscription_id'"],
  ['invoices?subscription_id=%00', "parameter 'subscription_id'"],
  [`invoices?customer_id=${'x'.repeat(256)}`, "parameter 'customer_id'"],
  ['invoices?__proto__=x', "there is no parameter '__proto__'"],
  ['subscriptions?status=paid', "parameter 'status'"],
  ['subscriptions?sort=(select pg_sleep(5))', "there is no parameter 'sort'"],
])('%s is refused by name', async (path, detail) => {
  const { status, body, type } = await get(`/v1/${path}`);
  expect({ status, type }).toEqual({ status: 400, type: 'application/problem+json' });
  expect(body).toMatchObject({ type: 'about:blank', title: 'Bad Request', status: 400 });
  expect(body.detail).toContain(detail);
  expect(body.detail).not.toMatch(/invalid|expected|received|too (big|small)/i);
  expect(world.errors).toEqual([]);
});

test.each(["'", '--', '$1', "' OR 1=1 --", '{"not":null}', '%27', ';SELECT pg_sleep(5)', '\\'])(
  'text that means something in SQL is an id like any other: %s',
  async (text) => {
    await addSubscription(world.database.db, 'sub-1');
    for (const query of [{ subscription_id: text }, { customer_id: text }]) {
      expect((await get(`/v1/invoices?${new URLSearchParams(query)}`)).body).toEqual({ data: [], next_cursor: null });
    }
    expect(await get(`/v1/subscriptions/${encodeURIComponent(text)}`)).toMatchObject({ status: 404 });
  },
);

test('a forged cursor at the end of time is an empty page, not an error', async () => {
  const cursor = Buffer.from(`${'9'.repeat(16)} ffffffff-ffff-4fff-bfff-ffffffffffff`).toString('base64url');
  expect(await get(`/v1/invoices?cursor=${cursor}`)).toMatchObject({ status: 200 });
  expect(await get(`/v1/invoices?cursor=${cursor}x`)).toMatchObject({ status: 400 });
});
