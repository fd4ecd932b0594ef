import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

test('with sending switched off nothing is sent, and all of it goes when it is switched on', async () => {
  const subscription = await world.subscribe();
  await world.database.db.$executeRaw`UPDATE control SET sending_enabled = false`;
  await world.run();
  expect(world.gateway.posts).toHaveLength(0);
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([{ state: 'prepared', send_count: 0 }]);
  await world.database.db.$executeRaw`UPDATE control SET sending_enabled = true`;
  await world.advance({ minutes: 1 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('told to stop before its intent, a worker sends nothing, and the next one charges it once', async () => {
  const subscription = await world.subscribe();
  const stopping = new AbortController();
  const { worker } = world;
  const { ready } = world.gateway;
  world.gateway.ready = async (options) => {
    stopping.abort();
    return ready.call(world.gateway, options);
  };
  Object.assign(world, { worker: { ...worker, stopped: stopping.signal } });
  await world.run();
  expect(world.gateway.posts).toHaveLength(0);
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([
    { state: 'prepared', send_count: 0, fail_reason: expect.stringContaining('told to stop') },
  ]);
  Object.assign(world, { worker });
  await world.advance({ minutes: 1 });
  await world.run();
  expect(world.gateway.posts).toHaveLength(1);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid', failures: 0 });
});

test('above the cap an invoice is held, never charged', async () => {
  const subscription = await world.subscribe({ amount: 10_001 });
  const capped = { ...world, worker: { ...world.worker, maxAmountMinor: () => 10_000 } };
  Object.assign(world, { worker: capped.worker });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'held', reason: 'over_max_amount' });
  expect(world.gateway.posts).toHaveLength(0);
});

test('a database that was not adopted sends nothing where adoption is asked for', async () => {
  const subscription = await world.subscribe();
  Object.assign(world, { worker: { ...world.worker, needsAdoption: true } });
  await world.run();
  expect(world.gateway.posts).toHaveLength(0);
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([
    { state: 'prepared', fail_reason: expect.stringMatching(/adopted/) },
  ]);
});

test.each(['paused', 'unpaid'])(
  'a subscription that is %s when the intent is written is not charged',
  async (status) => {
    const subscription = await world.subscribe();
    const { ready } = world.gateway;
    world.gateway.ready = async (options) => {
      await world.database.db.$executeRaw`UPDATE subscription SET status = ${status}`;
      return ready.call(world.gateway, options);
    };
    await world.run();
    expect(world.gateway.posts).toHaveLength(0);
    expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'held', reason: 'subscription_stopped' });
  },
);

test('a lease that ran out before the intent sends nothing', async () => {
  await world.subscribe();
  const { billingKey } = world.gateway;
  world.gateway.billingKey = async () => {
    await world.advance({ seconds: 91 });
    return billingKey.call(world.gateway);
  };
  await world.run();
  expect(world.gateway.posts).toHaveLength(0);
  expect(world.events.map((event) => event.kind)).toContain('record.superseded');
});

test('a process that was suspended between intent and call does not call', async () => {
  const subscription = await world.subscribe();
  let nowMs = 0;
  const clock = { ...world.worker.clock, nowMs: () => 0, monotonicMs: () => nowMs };
  const { store } = world.worker;
  const writeIntent: typeof store.writeIntent = async (...of) => {
    const intent = await store.writeIntent(...of);
    nowMs += 6_000;
    return intent;
  };
  Object.assign(world, { worker: { ...world.worker, clock, store: { ...store, writeIntent } } });
  await world.run();
  expect(world.gateway.posts).toHaveLength(0);
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([
    { state: 'prepared', send_count: 1, not_sent_count: 1 },
  ]);
});

test('one that was suspended after its guard, before the first byte, writes nothing', async () => {
  const subscription = await world.subscribe();
  let nowMs = 0;
  const clock = { ...world.worker.clock, nowMs: () => 0, monotonicMs: () => nowMs };
  const at = async (name: string) => {
    if (name === 'charge.about_to_be_written') nowMs += 6_000;
  };
  Object.assign(world, { worker: { ...world.worker, clock, failpoints: { at } } });
  await world.run();
  expect(world.gateway.posts).toHaveLength(0);
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([
    { state: 'prepared', send_count: 1, not_sent_count: 1 },
  ]);
});

test.each([
  [
    'two living attempts of one invoice',
    `INSERT INTO attempt (invoice_id, number, merchant_uid) SELECT id, 2, 'other' FROM invoice`,
  ],
  [
    'a second invoice for one period',
    `INSERT INTO invoice (subscription_id, period_key, period_index, period_start, period_end, due_at, amount, currency, name, state, next_at, policy_version_id) SELECT subscription_id, period_key, period_index, period_start, period_end, due_at, amount, currency, name, 'open', now(), policy_version_id FROM invoice`,
  ],
  ['a paid attempt that goes back', `UPDATE attempt SET state = 'prepared', answered_at = NULL`],
  ['another amount after the send', `UPDATE attempt SET amount = 1`],
  ['a forgotten send', `UPDATE attempt SET send_count = 0, first_sent_at = NULL, sent_at = NULL`],
  [
    'an open invoice without an instant',
    `INSERT INTO invoice (subscription_id, period_key, period_index, period_start, period_end, due_at, amount, currency, name, state, policy_version_id) SELECT subscription_id, '2027-02-28', 1, period_start, period_end, due_at, amount, currency, name, 'open', policy_version_id FROM invoice`,
  ],
  ['an invoice in review without a reason', `UPDATE invoice SET state = 'review', paid_at = NULL`],
  ['a paid invoice that opens again', `UPDATE invoice SET state = 'open', paid_at = NULL, next_at = now()`],
  ['a subscription that goes back to its trial', `UPDATE subscription SET status = 'trialing'`],
  ['a history rewritten', `UPDATE history SET who = 'nobody'`],
  ['a history deleted', `DELETE FROM history`],
])('the database itself refuses %s', async (_name, sql) => {
  await world.subscribe();
  await world.run();
  await expect(world.database.db.$executeRawUnsafe(sql)).rejects.toThrow();
});

test('every transition is in the history, with who made it', async () => {
  await world.subscribe();
  await world.run();
  const history = await world.database.db.history.findMany({ where: { entity: 'attempt' }, orderBy: { id: 'asc' } });
  expect(history.map((row) => [row.from_state, row.to_state])).toEqual([
    [null, 'prepared'],
    ['prepared', 'sent'],
    ['sent', 'paid'],
  ]);
  expect(new Set(history.map((row) => row.who))).toEqual(new Set(['maedal/test']));
});
