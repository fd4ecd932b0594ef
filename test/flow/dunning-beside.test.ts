import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Decline } from '../../src/billing/charge.ts';
import type { DunningPolicy } from '../../src/billing/policy.ts';
import { orderCardChange } from '../../src/operator/change-card.ts';
import { orderSubscription } from '../../src/operator/order-subscription.ts';
import { decideOnAwaited } from '../../src/scheduler/awaited-cards.ts';
import { keepPolicyVersion } from '../../src/store/policy-versions.ts';
import { CHANNEL, FINGERPRINT, invoiceOf, invoicesOf, newWorld, type World } from '../support/world.ts';

// What a policy decided, beside what people do, outages, and other invoices of the same subscription.

let world: World;
beforeEach(async () => {
  world = await newWorld();
  await follow(POLICY);
});
afterEach(() => world.end());

const POLICY: DunningPolicy = {
  retryAfterDays: [1, 8],
  minGapHours: 24,
  waitForCardDays: 7,
  classes: { card: { retryAfterDays: [], card: 'other' }, funds: { retryAfterDays: [1, 8], card: 'next' } },
};
const LOST = { class: 'card', reason: '분실된 카드' } as const;
const SAID = { actor: 'api', reason: 'the payer asked' };
const deps = () => ({ db: world.database.db, fingerprint: FINGERPRINT, versions: {}, channel: () => CHANNEL });

async function follow(policy: DunningPolicy): Promise<void> {
  const version = `beside ${JSON.stringify(policy).length}`;
  await keepPolicyVersion(world.database.db, version, policy);
  Object.assign(world.worker, { policyVersions: { default: version } });
  Object.assign(world.scheduler, { policyVersions: { default: version } });
}

/** Has the next charge of a card declined in its own way. */
function declining(customerUid: string, decline: Decline): void {
  const { charge } = world.gateway;
  world.gateway.charge = async (request) => {
    if (request.customerUid !== customerUid) return charge.call(world.gateway, request);
    world.gateway.script(customerUid, 'decline');
    const answer = await charge.call(world.gateway, request);
    return answer.kind === 'declined' ? { ...answer, record: { ...answer.record, decline } } : answer;
  };
}

async function runFor(hours: number, step = 6): Promise<void> {
  for (let passed = 0; passed < hours; passed += step) {
    await world.run();
    await world.advance({ hours: step });
  }
}

const change = (subscription: string, card: string) =>
  orderCardChange(deps(), subscription, { customerUid: card }, SAID);
const standingOf = async (subscription: string) =>
  world.database.db.subscription.findFirstOrThrow({ where: { external_id: subscription } });

test('a new card waits out the quarantine of a send that nothing answered', async () => {
  await world.subscribe({ externalId: 'canary' });
  const subscription = await world.subscribe();
  const { db } = world.database;
  declining(`card of ${subscription}`, LOST);
  await world.run();
  await db.attempt.updateMany({ where: { state: 'declined' }, data: { unanswered_at: world.now.toJSDate() } });
  await world.advance({ hours: 2 });
  await change(subscription, 'a new card');
  await world.run();
  await world.run();
  expect(world.gateway.posts.filter(({ customerUid }) => customerUid === 'a new card')).toHaveLength(0);
  await runFor(30);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('a card that comes while the wait for it is being ended is charged', async () => {
  const subscription = await world.subscribe();
  declining(`card of ${subscription}`, LOST);
  await runFor(7 * 24);
  await world.advance({ hours: 1 });
  const { store } = world.scheduler;
  const { cardsAwaited } = store;
  const racing = {
    ...store,
    cardsAwaited: async (...args: Parameters<typeof cardsAwaited>) => {
      const rows = await cardsAwaited(...args);
      await change(subscription, 'a new card');
      return rows;
    },
  };
  await decideOnAwaited({ ...world.scheduler, store: racing });
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'retrying' });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('once a subscription has recovered, what was held because it was unpaid is collected again', async () => {
  const subscription = await world.subscribe({ interval: 'week' });
  world.gateway.script(`card of ${subscription}`, ...Array.from({ length: 20 }, () => 'decline' as const));
  await runFor(20 * 24, 12);
  expect(await standingOf(subscription)).toMatchObject({ status: 'unpaid' });
  const held = (await invoicesOf(world, subscription)).filter(({ state }) => state === 'held');
  expect(held.length).toBeGreaterThan(0);
  await change(subscription, 'a new card');
  await runFor(72);
  expect(await standingOf(subscription)).toMatchObject({ status: 'active', access: 'full' });
  for (const { id } of held) {
    const invoice = (await invoicesOf(world, subscription)).find((one) => one.id === id);
    expect(invoice).toMatchObject({ state: 'paid' });
  }
});

test('a pause changes nothing of what the policy decided: no lost card is charged, and no rung comes early', async () => {
  const [lost, poor] = [await world.subscribe(), await world.subscribe()];
  declining(`card of ${lost}`, LOST);
  world.gateway.script(`card of ${poor}`, 'decline', 'decline');
  await runFor(30);
  const { next_at: rung } = await invoiceOf(world, poor);
  for (const kind of ['pause', 'resume'] as const)
    for (const subscription of [lost, poor])
      await orderSubscription(deps(), subscription, kind === 'resume' ? { kind, anchor: 'keep' } : { kind }, SAID);
  await runFor(12);
  expect(world.gateway.posts.filter(({ customerUid }) => customerUid === `card of ${lost}`)).toHaveLength(1);
  expect(await invoiceOf(world, lost)).toMatchObject({ state: 'retrying', reason: 'awaiting_card' });
  expect((await invoiceOf(world, poor)).next_at).toEqual(rung);
  expect(await standingOf(poor)).toMatchObject({ status: 'past_due', access: 'grace' });
});

test('what began before a pause is drawn up first', async () => {
  const subscription = await world.subscribe();
  expect(await orderSubscription(deps(), subscription, { kind: 'pause' }, SAID)).toMatchObject({ kind: 'refused' });
  await world.run();
  expect(await orderSubscription(deps(), subscription, { kind: 'pause' }, SAID)).toEqual({ kind: 'done' });
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('a retry that an outage made late waits for the hours of its policy', async () => {
  await follow({ ...POLICY, window: { from: '09:00', until: '21:00', timezone: 'Asia/Seoul' } });
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  await world.advance({ hours: 37.5 }); // 23:30 in Seoul
  await world.run();
  expect(world.gateway.posts).toHaveLength(1);
  expect((await invoiceOf(world, subscription)).next_at).toEqual(new Date('2027-02-02T00:00:00Z'));
  await world.advance({ hours: 9.5 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('a new card is charged in the place of another one that was prepared and never sent', async () => {
  const subscription = await world.subscribe();
  await world.database.db.$executeRaw`
    INSERT INTO billing_key (customer_id, customer_uid, preference)
    SELECT customer_id, 'second', 1 FROM subscription WHERE external_id = ${subscription}`;
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  world.gateway.readiness = { kind: 'unreachable', reason: 'down' };
  await world.run();
  expect((await invoiceOf(world, subscription)).attempts[1]).toMatchObject({ state: 'prepared', send_count: 0 });
  await change(subscription, 'a new card');
  await world.advance({ minutes: 5 });
  await world.run();
  expect(world.gateway.captures).toMatchObject([{ customerUid: 'a new card' }]);
});

test('of two unpaid invoices the stricter step counts', async () => {
  const steps = [
    { name: 'grace', afterDays: 0, access: 'grace' },
    { name: 'locked', afterDays: 5, access: 'suspended' },
  ] as const;
  await follow({ ...POLICY, retryAfterDays: [1, 20], classes: {}, steps });
  const subscription = await world.subscribe({ interval: 'week' });
  world.gateway.script(`card of ${subscription}`, ...Array.from({ length: 9 }, () => 'decline' as const));
  await runFor(8 * 24, 12);
  expect(await invoicesOf(world, subscription)).toHaveLength(2);
  expect(await standingOf(subscription)).toMatchObject({ status: 'past_due', access: 'suspended' });
});
