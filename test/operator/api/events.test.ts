import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { buildConsole } from '../../../src/operator/server.ts';
import { markDatabase } from '../../../src/store/fingerprint.ts';
import { takeUpEvents } from '../../../src/store/outbox.ts';
import { FINGERPRINT } from '../../support/world.ts';
import { newWorld, TOKEN, type World } from '../fixture.ts';
import { addSubscription } from '../rows.ts';

const listeners = [
  { name: 'shop', types: null, address: 'a' },
  { name: 'paid', types: ['invoice.paid'], address: 'b' },
];

let world: World;
let app: FastifyInstance;
beforeAll(async () => {
  world = await newWorld();
  app = await buildConsole({ ...world.deps, listeners }, '127.0.0.1');
  const { db } = world.database;
  await markDatabase(db, FINGERPRINT);
  for (const [hour, of] of ['sub-1', 'sub-2', 'sub-1'].entries()) {
    if (hour < 2) await addSubscription(db, of);
    for (const kind of ['charge.succeeded', 'invoice.paid'])
      await db.$executeRaw`
        INSERT INTO outbox (kind, subscription_id, payload, created_at)
        SELECT ${kind}, id, '{}', timestamptz '2027-01-31T01:00:00.250Z' + ${hour}::integer * interval '1 hour' FROM subscription WHERE external_id = ${of}`;
  }
  await takeUpEvents(db, listeners, { limit: 100, fingerprint: FINGERPRINT });
  await db.$executeRaw`INSERT INTO outbox (kind, payload) VALUES ('sending.stopped', '{}')`; // nobody took it up yet
});
afterAll(async () => {
  await app.close();
  await world.close();
});

type Item = { id: string; type: string; sequence: number; data: { subscription_id: string } };
async function call(method: 'GET' | 'POST', path: string, payload?: object, headers: Record<string, string> = {}) {
  const response = await app.inject({
    ...{ method, url: `/v1/events${path}`, headers: { authorization: `Bearer ${TOKEN}`, ...headers } },
    ...(payload === undefined ? {} : { payload }),
  });
  return { status: response.statusCode, headers: response.headers, body: response.json() };
}
const told = async (query: string) =>
  (await call('GET', query)).body.data.map(
    ({ type, sequence, data }: Item) => `${data.subscription_id} ${sequence} ${type}`,
  );

test('events are listed as they are delivered, newest first, with what became of each', async () => {
  const { body } = await call('GET', '');
  expect(body.next_cursor).toBeNull();
  expect(await told('')).toEqual([
    'sub-1 4 invoice.paid',
    'sub-1 3 charge.succeeded',
    'sub-2 2 invoice.paid',
    'sub-2 1 charge.succeeded',
    'sub-1 2 invoice.paid',
    'sub-1 1 charge.succeeded',
  ]);
  const waiting = { tries: 0, status: null, error: null, delivered_at: null, next_at: expect.any(String) };
  expect(body.data[5]).toEqual({
    ...{ id: expect.any(String), type: 'charge.succeeded', timestamp: '2027-01-31T01:00:00.250Z', sequence: 1 },
    data: expect.objectContaining({ subscription_id: 'sub-1', subscription: expect.any(Object) }),
    deliveries: [{ endpoint: 'shop', ...waiting }],
  });
  expect(body.data[0].deliveries.map(({ endpoint }: { endpoint: string }) => endpoint)).toEqual(['paid', 'shop']);
  expect((await call('GET', `/${body.data[5].id}`)).body).toEqual(body.data[5]);
  expect(await call('GET', '/00000000-0000-4000-8000-000000000000')).toMatchObject({ status: 404 });
  expect(await call('GET', '/nothing')).toMatchObject({ status: 404 });
});

test('they are filtered by kind, subscription and time, and paged', async () => {
  expect(await told('?type=invoice.paid,refund.failed&subscription_id=sub-1')).toEqual([
    'sub-1 4 invoice.paid',
    'sub-1 2 invoice.paid',
  ]);
  const [from, until] = ['2027-01-31T02:00:00.250Z', '2027-01-31T12:00:00.250%2B09:00'];
  expect(await told(`?from=${from}&until=${until}`)).toEqual(['sub-2 2 invoice.paid', 'sub-2 1 charge.succeeded']);
  const pages: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { body } = await call('GET', `?limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`);
    pages.push(...body.data.map(({ id }: Item) => id));
    cursor = body.next_cursor;
  }
  const all = (await call('GET', '')).body.data.map(({ id }: Item) => id);
  expect(pages).toEqual(all);
});

test.each([
  ['?type=', "parameter 'type'"],
  ["?type=invoice.paid'--", "parameter 'type'"],
  ['?from=yesterday', "parameter 'from' cannot be read; write an instant"],
  ['?from=2027-01-31T10:00:00', "parameter 'from'"],
  [`?cursor=${Buffer.from('1 00000000-0000-4000-8000-000000000000').toString('base64url')}`, "parameter 'cursor'"],
  ['?status=paid', "there is no parameter 'status'"],
])('%s is refused by name', async (query, detail) => {
  const { status, body } = await call('GET', query);
  expect({ status, detail: body.detail }).toEqual({ status: 400, detail: expect.stringContaining(detail) });
});

test('a replay says where events go; under one key they go once', async () => {
  const { db } = world.database;
  await db.$executeRaw`UPDATE delivery SET next_at = NULL, delivered_at = maedal_now(), tries = 1`;
  const [{ id }] = (await call('GET', '?type=invoice.paid&subscription_id=sub-2')).body.data;
  const waiting = () => db.delivery.count({ where: { next_at: { not: null } } });
  const key = { 'idempotency-key': 'again' };
  const answer = {
    endpoints: [
      { name: 'shop', deliveries: 1, disabled: false },
      { name: 'paid', deliveries: 1, disabled: false },
    ],
    dry_run: false,
  };
  expect(await call('POST', '/replay', { ids: [id], dry_run: true })).toMatchObject({
    status: 200,
    body: { ...answer, dry_run: true },
  });
  expect(await waiting()).toBe(0);
  expect(await call('POST', '/replay', { ids: [id] }, key)).toMatchObject({ status: 200, body: answer });
  expect(await waiting()).toBe(2);
  await db.$executeRaw`UPDATE delivery SET next_at = NULL, delivered_at = maedal_now()`;
  expect(await call('POST', '/replay', { ids: [id] }, key)).toMatchObject({
    ...{ status: 200, body: answer, headers: { 'idempotent-replayed': 'true' } },
  });
  expect(await waiting()).toBe(0);
  expect(await call('POST', '/replay', { from: '2027-01-31T00:00:00Z', undelivered: true })).toMatchObject({
    body: { endpoints: [{ deliveries: 0 }, { deliveries: 0 }] },
  });
});

test.each([
  [{}, /no event is named/],
  [{ ids: [] }, /field 'ids' cannot be read/],
  [{ ids: ['1; DROP TABLE outbox'] }, /field 'ids.0' cannot be read/],
  [{ from: '2027-01-31' }, /field 'from' cannot be read/],
  [{ from: '2027-01-31T00:00:00Z', endpoint: 'shoq' }, /no endpoint 'shoq'; did you mean shop/],
  [{ form: 'x' }, /there is no field 'form'/],
])('a replay of %j is bad input', async (body, problem) => {
  const answer = await call('POST', '/replay', body);
  expect(answer.status).toBe(400);
  expect(answer.body.detail).toMatch(problem);
});
