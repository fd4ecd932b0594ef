import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

test('a decline that turned out to be paid is found before the retry goes, and settles the first attempt', async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  world.gateway.land((await invoiceOf(world, subscription)).attempts[0]?.merchant_uid ?? '', 'paid');
  await world.advance({ days: 1 });
  await world.run(); // seen before the retry goes
  await world.run(); // and accounted for
  const invoice = await invoiceOf(world, subscription);
  expect(invoice.state).toBe('paid');
  expect(invoice.attempts.map((attempt) => attempt.state)).toEqual(['paid', 'canceled']);
  expect(world.gateway.posts).toHaveLength(1);
});

test('without a look before a retry nothing is sent', async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  world.gateway.lookUps = 'unclear';
  await world.advance({ days: 1 });
  await world.run();
  expect(world.gateway.posts).toHaveLength(1);
  expect((await invoiceOf(world, subscription)).attempts[1]).toMatchObject({ state: 'prepared', send_count: 0 });
});

test('after a change of card an earlier attempt is held against what it asked for, not against the new card', async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  world.gateway.land((await invoiceOf(world, subscription)).attempts[0]?.merchant_uid ?? '', 'paid');
  await world.database.db.$executeRaw`
    WITH fresh AS (INSERT INTO billing_key (customer_id, customer_uid) SELECT id, 'a new card' FROM customer RETURNING id)
    UPDATE subscription SET billing_key_id = fresh.id FROM fresh`;
  await world.advance({ days: 1 });
  await world.run();
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
  expect(world.gateway.posts).toHaveLength(1);
});

test('"not found" for an id that the gateway has shown before is no answer: nothing is sent', async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  world.gateway.land((await invoiceOf(world, subscription)).attempts[0]?.merchant_uid ?? '', 'paid');
  world.gateway.lookUps = 'absent'; // another account's answers
  await world.advance({ days: 1 });
  await world.run();
  expect(world.gateway.posts).toHaveLength(1);
  world.gateway.lookUps = 'truthful';
  await world.advance({ hours: 1 });
  await world.run();
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
  expect(world.gateway.captures).toHaveLength(1);
});

test('"not found" for an id of which a send was never answered counts only beside a payment that is found', async () => {
  await world.subscribe({ externalId: 'canary' });
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'lose', 'refuse');
  const attempts = async () => (await invoiceOf(world, subscription)).attempts;
  for (let hours = 0; hours < 8; hours += 1) {
    await world.run();
    await world.advance({ hours: 1 });
  }
  expect(await attempts()).toMatchObject([{ state: 'rejected', send_count: 2, unanswered_at: expect.any(Date) }]);
  world.gateway.land((await attempts())[0]?.merchant_uid ?? '', 'paid'); // the first send, late
  world.gateway.lookUps = 'absent'; // another account's answers
  await world.advance({ days: 2 });
  // An audit vouches for the rows, and not for what may have landed meanwhile.
  await world.database.db.$executeRaw`UPDATE control SET audited_at = maedal_now(), audited_in = maedal_incarnation()`;
  await world.run();
  expect(world.gateway.posts).toHaveLength(3);
  expect((await attempts())[1]).toMatchObject({
    state: 'prepared',
    fail_reason: expect.stringMatching(/never answered.*either, which was paid/),
  });
  world.gateway.lookUps = 'truthful';
  await world.advance({ hours: 1 });
  await world.run();
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid', attempts: [{ state: 'paid' }, {}] });
  expect(world.gateway.captures).toHaveLength(2);
});

test('an earlier attempt that was paid and given back is for a person, and nothing else is charged', async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  const [post] = world.gateway.posts;
  world.gateway.land(post?.merchantUid ?? '', 'cancelled');
  await world.advance({ days: 1 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({
    state: 'review',
    reason: expect.stringMatching(/an earlier attempt was paid and given back: imps_\w+ cancelled/),
  });
  expect(world.gateway.posts).toHaveLength(1);
});

test('look-ups that would outlive the lease are broken off in time, and the charge is put off', async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  await world.advance({ days: 1 });
  slowLookUps();
  await world.run();
  expect((await invoiceOf(world, subscription)).attempts[1]).toMatchObject(PUT_OFF);
});

test('so are the look-ups for what a restored database forgot', async () => {
  const subscription = await world.subscribe();
  slowLookUps();
  await world.run();
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([PUT_OFF]);
  expect(world.gateway.posts).toHaveLength(0);
});

const PUT_OFF = {
  state: 'prepared',
  send_count: 0,
  lease_count: 0,
  fail_reason: 'the gateway takes too long to answer just now',
};

/** Each takes more than half a lease. */
function slowLookUps(): void {
  let nowMs = 0;
  Object.assign(world.worker, { clock: { ...world.worker.clock, monotonicMs: () => nowMs } });
  const { lookUp } = world.gateway;
  world.gateway.lookUp = (merchantUid) => {
    nowMs += 50_000;
    return lookUp.call(world.gateway, merchantUid);
  };
}

test('once an audit has passed, a first charge goes without a look, and a retry does not', async () => {
  const subscription = await world.subscribe();
  await world.database.db.$executeRaw`
    UPDATE control SET audited_at = maedal_now(), audited_in = maedal_incarnation()`;
  const lookedUp: string[] = [];
  const { lookUp } = world.gateway;
  world.gateway.lookUp = (merchantUid) => {
    lookedUp.push(merchantUid);
    return lookUp.call(world.gateway, merchantUid);
  };
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  expect([world.gateway.posts.length, lookedUp.length]).toEqual([1, 0]);
  await world.advance({ days: 1 });
  await world.run();
  expect([world.gateway.posts.length, lookedUp.length]).toEqual([2, 2]);
});
