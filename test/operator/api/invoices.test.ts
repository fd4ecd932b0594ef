import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newWorld, type World } from '../fixture.ts';
import { addAttempt, addInvoice, addSubscription } from '../rows.ts';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
beforeEach(async () => {
  await world.database.db.$executeRaw`TRUNCATE customer CASCADE`;
});
afterAll(() => world.close());

type Item = { id: string; period: string; attempts: unknown[] };
const get = async (url: string) => {
  const response = await world.api(url);
  return { status: response.statusCode, body: response.json(), type: response.headers['content-type'] };
};

describe('an invoice', () => {
  test('is shown with its attempts, amounts in minor units and instants in UTC', async () => {
    const { db } = world.database;
    const subscription = await addSubscription(db, 'sub-1');
    const invoiceId = await addInvoice(db, subscription.id, { failures: 1 });
    const attempt = { invoiceId, billingKeyId: subscription.billingKeyId };
    await addAttempt(
      db,
      { ...attempt, number: 1 },
      {
        state: 'declined',
        sentAt: '2027-01-31T01:00:00.250Z',
        answeredAt: '2027-01-31T01:00:01Z',
        declineClass: 'funds',
        failReason: '잔액부족',
        impUid: 'imps_000000000001',
      },
    );
    await addAttempt(
      db,
      { ...attempt, number: 2 },
      {
        state: 'paid',
        sentAt: '2027-02-01T01:00:00Z',
        answeredAt: '2027-02-01T01:00:01Z',
        impUid: 'imps_000000000002',
      },
    );
    const expected = {
      id: invoiceId,
      subscription_id: 'sub-1',
      period: '2027-01-31',
      period_start: '2027-01-31T01:00:00Z',
      period_end: '2027-02-28T01:00:00Z',
      amount: 9900,
      currency: 'KRW',
      status: 'paid',
      reason: null,
      next_at: null,
      attempts: [
        {
          number: 1,
          merchant_uid: expect.stringMatching(/^[a-z0-9]{32}$/),
          state: 'declined',
          imp_uid: 'imps_000000000001',
          decline_class: 'funds',
          fail_reason: '잔액부족',
          sent_at: '2027-01-31T01:00:00.250Z',
          answered_at: '2027-01-31T01:00:01Z',
        },
        {
          number: 2,
          merchant_uid: expect.stringMatching(/^[a-z0-9]{32}$/),
          state: 'paid',
          imp_uid: 'imps_000000000002',
          decline_class: null,
          fail_reason: null,
          sent_at: '2027-02-01T01:00:00Z',
          answered_at: '2027-02-01T01:00:01Z',
        },
      ],
    };
    const one = await get(`/v1/invoices/${invoiceId}`);
    expect(one).toEqual({ status: 200, body: expected, type: 'application/json; charset=utf-8' });
    expect(Object.keys(one.body)).toEqual(Object.keys(expected));
    expect((await get('/v1/invoices')).body).toEqual({ data: [expected], next_cursor: null });
  });

  test.each(['00000000-0000-4000-8000-000000000000', 'nope', "1'; DROP TABLE invoice; --", '%00', '[object Object]'])(
    'that does not exist is 404: %s',
    async (id) => {
      const { status, body, type } = await get(`/v1/invoices/${encodeURIComponent(id)}`);
      expect({ status, type, body }).toEqual({
        status: 404,
        type: 'application/problem+json',
        body: { type: 'about:blank', title: 'Not Found', status: 404, detail: 'there is no such invoice' },
      });
    },
  );
});

describe('a list of invoices', () => {
  test('is empty before anything is due', async () => {
    expect((await get('/v1/invoices')).body).toEqual({ data: [], next_cursor: null });
  });

  test('answers what all filters allow, and nothing else', async () => {
    const { db } = world.database;
    const [first, second] = [await addSubscription(db, 'sub/1 가'), await addSubscription(db, 'sub-2')];
    await addInvoice(db, first.id, { period: '2027-01-31' });
    await addInvoice(db, first.id, { period: '2027-02-28', state: 'retrying', nextAt: '2027-03-01T01:00:00Z' });
    await addInvoice(db, second.id, { period: '2027-02-28', state: 'held', reason: 'catch_up' });
    const found = async (query: Record<string, string>) => {
      const { body } = await get(`/v1/invoices?${new URLSearchParams(query)}`);
      return body.data
        .map((item: { subscription_id: string; period: string }) => `${item.subscription_id} ${item.period}`)
        .sort();
    };
    const [january, february, held] = ['sub/1 가 2027-01-31', 'sub/1 가 2027-02-28', 'sub-2 2027-02-28'];
    expect(await found({})).toEqual([held, january, february].sort());
    expect(await found({ status: 'paid' })).toEqual([january]);
    expect(await found({ status: 'paid,held' })).toEqual([held, january].sort());
    expect(await found({ status: 'void' })).toEqual([]);
    expect(await found({ subscription_id: 'sub/1 가' })).toEqual([january, february]);
    expect(await found({ subscription_id: 'sub-' })).toEqual([]);
    expect(await found({ customer_id: 'cust-sub-2' })).toEqual([held]);
    expect(await found({ period: '2027-02-28' })).toEqual([held, february].sort());
    expect(await found({ period_from: '2027-02-01' })).toEqual([held, february].sort());
    expect(await found({ period_from: '2027-01-31', period_to: '2027-01-31' })).toEqual([january]);
    expect(await found({ period: '2027-02-28', status: 'retrying', subscription_id: 'sub/1 가' })).toEqual([february]);
  });

  test('each invoice carries its own attempts', async () => {
    const { db } = world.database;
    for (let index = 0; index < 5; index += 1) {
      const { id, billingKeyId } = await addSubscription(db, `sub-${index}`);
      const invoiceId = await addInvoice(db, id, { state: 'open', nextAt: '2027-02-01T00:00:00Z' });
      for (let number = 1; number <= index; number += 1) {
        const state = number < index ? { state: 'canceled' } : {};
        await addAttempt(db, { invoiceId, billingKeyId, number }, state);
      }
    }
    const { body } = await get('/v1/invoices?limit=3');
    expect(body.data.map((item: Item) => item.attempts.length)).toEqual([4, 3, 2]);
  });

  test('pages cover every row once, also those of one instant, while rows are added in front', async () => {
    const { db } = world.database;
    const { id } = await addSubscription(db, 'sub-1');
    const periods = Array.from({ length: 25 }, (_, index) => `2027-01-${String(index + 1).padStart(2, '0')}`);
    for (const period of periods) await addInvoice(db, id, { period });
    // Two microseconds apart at most, and mostly at one instant: milliseconds would lose rows between two pages.
    await db.$executeRaw`
      UPDATE invoice SET created_at = timestamptz '2026-01-31T01:00:00.000001Z'
        + (right(period_key, 1)::integer % 3) * interval '1 microsecond'`;
    const seen: string[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const { body } = await get(`/v1/invoices?limit=4${cursor === null ? '' : `&cursor=${cursor}`}`);
      seen.push(...body.data.map((item: Item) => item.period));
      cursor = body.next_cursor;
      pages += 1;
      if (pages === 2) await addInvoice(db, id, { period: '2027-03-01' });
    } while (cursor !== null);
    expect(pages).toBe(7);
    expect(seen).toHaveLength(25);
    expect([...seen].sort()).toEqual(periods);
  });

  test('the last page has no cursor, even when it is full', async () => {
    const { db } = world.database;
    const { id } = await addSubscription(db, 'sub-1');
    for (const period of ['2027-01-01', '2027-01-02']) await addInvoice(db, id, { period });
    expect((await get('/v1/invoices?limit=2')).body.next_cursor).toBeNull();
    expect((await get('/v1/invoices?limit=1')).body.next_cursor).toEqual(expect.any(String));
  });
});
