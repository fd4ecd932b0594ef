import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { invoiceOf, invoicesOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

test('a due period is drawn up, charged once and paid', async () => {
  const subscription = await world.subscribe();
  await world.run();
  const invoice = await invoiceOf(world, subscription);
  expect(invoice).toMatchObject({ state: 'paid', period_key: '2027-01-31', next_at: null, failures: 0 });
  expect(invoice.attempts).toMatchObject([{ number: 1, state: 'paid', send_count: 1, imp_uid: 'imps_000000000001' }]);
  expect(world.gateway.captures).toHaveLength(1);
  const [post] = world.gateway.posts;
  expect(post?.merchantUid).toBe(invoice.attempts[0]?.merchant_uid);
  expect(JSON.parse(post?.customData ?? '')).toEqual({
    subscription,
    period: '2027-01-31',
    invoice: invoice.id,
    attempt: 1,
  });
});

test('ticking a hundred times charges nothing twice', async () => {
  await world.subscribe();
  for (let times = 0; times < 100; times += 1) await world.run();
  expect(world.gateway.captures).toHaveLength(1);
});

test('the next period is charged when it begins and not before', async () => {
  const subscription = await world.subscribe();
  await world.run();
  await world.advance({ days: 27, hours: 23 });
  await world.run();
  expect(world.gateway.captures).toHaveLength(1);
  await world.advance({ hours: 1 }); // 28 February, 10:00 in Seoul
  await world.run();
  expect((await invoicesOf(world, subscription)).map((invoice) => invoice.period_key)).toEqual([
    '2027-01-31',
    '2027-02-28',
  ]);
  expect(world.gateway.captures).toHaveLength(2);
});

test('a decline climbs the ladder of 1, 3 and 5 days, each time with a new id, and then ends unpaid', async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline', 'decline', 'decline', 'decline');
  const seen: string[] = [];
  for (let hour = 0; hour <= 7 * 24; hour += 1) {
    const before = world.gateway.posts.length;
    await world.run();
    if (world.gateway.posts.length > before) seen.push(world.now.toISO() ?? '');
    await world.advance({ hours: 1 });
  }
  expect(seen).toEqual(['2027-01-31', '2027-02-01', '2027-02-03', '2027-02-05'].map((day) => `${day}T01:00:00.000Z`));
  const invoice = await invoiceOf(world, subscription);
  expect(invoice).toMatchObject({ state: 'uncollectible', reason: 'retries_exhausted', failures: 4 });
  expect(invoice.attempts.map((attempt) => attempt.state)).toEqual(['declined', 'declined', 'declined', 'declined']);
  expect(new Set(invoice.attempts.map((attempt) => attempt.merchant_uid)).size).toBe(4);
  expect(await world.database.db.subscription.findFirst()).toMatchObject({ status: 'unpaid' });
});

test('a retry that is paid settles the invoice and brings the subscription back', async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  expect(await world.database.db.subscription.findFirst()).toMatchObject({ status: 'past_due' });
  await world.advance({ days: 1 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
  expect(await world.database.db.subscription.findFirst()).toMatchObject({ status: 'active' });
});

test('a lost answer blocks every further charge until a look-up finds the capture', async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'capture-silently');
  world.gateway.lookUps = 'truthful';
  await world.run();
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([{ state: 'unknown' }]);
  await world.advance({ seconds: 5 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
  expect(world.gateway.posts).toHaveLength(1);
});

test('a capture that lands late is found by a later look-up', async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'lose');
  await world.run();
  await world.advance({ seconds: 5 });
  await world.run();
  world.gateway.land((await invoiceOf(world, subscription)).attempts[0]?.merchant_uid ?? '', 'paid');
  await world.advance({ minutes: 10 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('a payment that is pending at the gateway settles when it is paid', async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'ready');
  await world.run();
  const [attempt] = (await invoiceOf(world, subscription)).attempts;
  expect(attempt).toMatchObject({ state: 'unknown' });
  world.gateway.land(attempt?.merchant_uid ?? '', 'paid');
  await world.advance({ seconds: 15 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('a connection that was refused costs no failure: the same id goes again within minutes', async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'refuse-connection');
  await world.run();
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([
    { state: 'prepared', send_count: 1, not_sent_count: 1, fail_reason: 'connection refused' },
  ]);
  await world.advance({ minutes: 1 });
  await world.run();
  const invoice = await invoiceOf(world, subscription);
  expect(invoice).toMatchObject({ state: 'paid', failures: 0 });
  expect(invoice.attempts).toMatchObject([{ number: 1, state: 'paid', send_count: 2 }]);
});

test('a token that was refused is renewed, and the charge goes again at once under the same id', async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'unauthorized');
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
  expect(world.gateway.refreshed).toBe(1);
  expect(new Set(world.gateway.posts.map((post) => post.merchantUid)).size).toBe(1);
});

test("a second refusal of the token is an operator's matter; the attempt stays unsent", async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'unauthorized', 'unauthorized');
  await world.run();
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([
    { state: 'prepared', send_count: 2, not_sent_count: 2 },
  ]);
  expect(world.events.map((event) => event.kind)).toContain('gateway.refused');
});

test('a refusal is final only once a look-up agrees; then it climbs the same ladder', async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'refuse');
  await world.run();
  const invoice = await invoiceOf(world, subscription);
  expect(invoice).toMatchObject({ state: 'retrying', failures: 1 });
  expect(invoice.attempts).toMatchObject([{ state: 'rejected', decline_class: 'funds' }]);
  expect(invoice.next_at?.toISOString()).toBe('2027-02-01T01:00:00.000Z');
});

test('a refusal beside a look-up without an answer stays unknown', async () => {
  const subscription = await world.subscribe();
  await world.run();
  await world.advance({ days: 28 });
  world.gateway.script(`card of ${subscription}`, 'refuse-as-duplicate');
  await world.run();
  const second = (await invoicesOf(world, subscription))[1];
  expect(second?.attempts).toMatchObject([{ state: 'unknown' }]);
});

test.each([
  ['pay-less', /amount is 1 KRW/],
  ['pay-live', /live payment/],
] as const)('paid, but not as asked (%s), is for a person to look at', async (behaviour, reason) => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, behaviour);
  await world.run();
  const invoice = await invoiceOf(world, subscription);
  expect(invoice.state).toBe('review');
  expect(invoice.reason).toMatch(reason);
});

test.each([
  ['a live card in a test', { kind: 'found', sandbox: false }, 'live_key_in_test'],
  ['a card that the gateway does not know', { kind: 'absent' }, 'billing_key_unknown'],
] as const)('%s is held and never charged', async (_name, key, reason) => {
  const subscription = await world.subscribe();
  world.gateway.key =
    key.kind === 'absent' ? key : { ...key, pgProvider: null, cardName: null, cardNumberMasked: null };
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'held', reason });
  expect(world.gateway.posts).toHaveLength(0);
});
