import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { DunningPolicy } from '../../src/billing/policy.ts';
import { tick } from '../../src/scheduler/tick.ts';
import type { Ring } from '../../src/store/due.ts';
import { keepPolicyVersion } from '../../src/store/policy-versions.ts';
import { runJob } from '../../src/worker/run-job.ts';
import { dunned, GIVES_UP } from '../support/dunned.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

const POLICY: DunningPolicy = { retryAfterDays: [1, 3], minGapHours: 24 };

async function follow(policy: DunningPolicy): Promise<void> {
  await keepPolicyVersion(world.database.db, 'ending', policy);
  Object.assign(world.worker, { policyVersions: { default: 'ending' } });
  Object.assign(world.scheduler, { policyVersions: { default: 'ending' } });
}

async function runFor(days: number): Promise<void> {
  for (let hours = 0; hours < days * 24; hours += 24) {
    await world.run();
    await world.advance({ hours: 24 });
  }
}

const statusOf = async (subscription: string) =>
  (await world.database.db.subscription.findFirstOrThrow({ where: { external_id: subscription } })).status;
const told = async (kind: string) => (await world.database.db.outbox.findMany({ where: { kind } })).length;

test.each([
  ['cancel', 'canceled', 'subscription.canceled'],
  ['pause', 'paused', 'subscription.paused'],
  ['unpaid', 'unpaid', 'invoice.uncollectible'],
] as const)('the end of a ladder may be to %s', async (end, status, event) => {
  await follow({ ...POLICY, retryAfterDays: [], classes: {}, end });
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  expect(await statusOf(subscription)).toBe(status);
  expect(await told(event)).toBe(1);
  await runFor(40);
  expect(world.gateway.posts).toHaveLength(1);
});

test.each([
  ['cancel', { kind: 'cancel', at: 'now' }, 'subscription.canceled'],
  ['pause', { kind: 'pause' }, 'subscription.paused'],
] as const)(
  'a ladder that ends in a %s where a person was quicker tells of it no second time',
  async (end, wish, kind) => {
    await follow({ ...GIVES_UP, end });
    const subscription = await world.subscribe();
    world.gateway.script(`card of ${subscription}`, 'decline');
    const charge = world.gateway.charge.bind(world.gateway);
    world.gateway.charge = async (...of) => {
      await dunned(() => world).order(subscription, wish);
      return charge(...of);
    };
    await world.run();
    expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'uncollectible' });
    expect(await told('invoice.uncollectible')).toBe(1);
    expect(await told(kind)).toBe(1);
  },
);

test.each([
  ['hold', 'unpaid', 1],
  ['accumulate', 'past_due', 2],
] as const)('while one invoice is given up, later ones %s', async (later, status, posts) => {
  await follow({ ...POLICY, retryAfterDays: [], classes: {}, end: 'unpaid', later });
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  expect(await statusOf(subscription)).toBe(status);
  const { access } = await world.database.db.subscription.findFirstOrThrow();
  expect(access).toBe('suspended');
  await runFor(30);
  expect(world.gateway.posts).toHaveLength(posts);
});

test('what is written off is owed no more: the subscription goes on with its next period', async () => {
  await follow({ ...POLICY, retryAfterDays: [1], classes: {}, end: 'write_off' });
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline', 'decline');
  await runFor(2);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'uncollectible', reason: 'written_off' });
  expect(await statusOf(subscription)).toBe('active');
  await runFor(30);
  expect(world.gateway.captures).toHaveLength(1);
});

test('a policy that left the configuration leaves its subscriptions to the default one, and no charge is lost', async () => {
  await keepPolicyVersion(world.database.db, 'gone', { ...POLICY, retryAfterDays: [5] });
  const versions = { default: 'test', gentle: 'gone' };
  Object.assign(world.worker, { policyVersions: versions });
  Object.assign(world.scheduler, { policyVersions: versions });
  const subscription = await world.subscribe();
  await world.database.db.$executeRaw`UPDATE subscription SET policy = 'gentle'`;
  world.gateway.script(`card of ${subscription}`, 'decline', 'decline');
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ policy_version_id: 'gone', state: 'retrying' });
  await follow({ ...POLICY, retryAfterDays: [1, 6] });
  await runFor(8);
  expect(await invoiceOf(world, subscription)).toMatchObject({ policy_version_id: 'ending', state: 'paid' });
  expect(world.gateway.posts).toHaveLength(3);
});

test('however many workers charge one card at once, it is not declined more often than its cap', async () => {
  await follow({ ...POLICY, perCard: { declines: 3, days: 10 } });
  const names = await Promise.all(Array.from({ length: 8 }, () => world.subscribe({ customer: 'kim' })));
  const card = `card of ${names[0]}`;
  await world.database.db.$executeRaw`
    UPDATE subscription SET billing_key_id = (SELECT id FROM billing_key WHERE customer_uid = ${card})`;
  world.gateway.script(card, ...names.map(() => 'decline' as const));
  const rings: Ring[] = [];
  await tick({ ...world.scheduler, ring: async (added) => void rings.push(...added) });
  expect(rings).toHaveLength(names.length);
  await Promise.all(rings.map((job) => runJob(world.worker, job)));
  expect(world.gateway.posts).toHaveLength(3);
  const open = await world.database.db.attempt.findMany({ where: { state: 'prepared' } });
  expect(open.map(({ send_count, fail_reason }) => [send_count, fail_reason])).toEqual(
    Array.from({ length: 5 }, () => [0, 'its card was declined as often as is allowed']),
  );
});
