import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Decline } from '../../src/billing/charge.ts';
import type { DunningPolicy } from '../../src/billing/policy.ts';
import { orderCardChange } from '../../src/operator/change-card.ts';
import { keepPolicyVersion } from '../../src/store/policy-versions.ts';
import { CHANNEL, FINGERPRINT, invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
  await follow(POLICY);
});
afterEach(() => world.end());

const POLICY: DunningPolicy = {
  retryAfterDays: [1, 3],
  minGapHours: 24,
  waitForCardDays: 7,
  classes: {
    funds: { retryAfterDays: [1, 3], card: 'next' },
    card: { retryAfterDays: [], card: 'other' },
  },
};

/** Has this policy in force from the next decision on. */
async function follow(policy: DunningPolicy): Promise<void> {
  const version = JSON.stringify(policy).length.toString();
  await keepPolicyVersion(world.database.db, version, policy);
  Object.assign(world.worker, { policyVersions: { default: version } });
  Object.assign(world.scheduler, { policyVersions: { default: version } });
}

/** Gives the payer of a subscription one more card, which is charged after the others. */
async function backup(subscription: string, customerUid: string): Promise<void> {
  await world.database.db.$executeRaw`
    INSERT INTO billing_key (customer_id, customer_uid, preference)
    SELECT customer_id, ${customerUid}, 1 FROM subscription WHERE external_id = ${subscription}`;
}

async function runFor(days: number): Promise<void> {
  for (let hours = 0; hours < days * 24; hours += 6) {
    await world.run();
    await world.advance({ hours: 6 });
  }
}

/** Each charge so far: hours since the first, and on which card. */
const chargesOf = async (subscription: string) => {
  const { attempts, due_at } = await invoiceOf(world, subscription);
  return attempts.map(({ sent_at, customer_uid }) => {
    return [((sent_at?.getTime() ?? 0) - due_at.getTime()) / 3_600_000, customer_uid];
  });
};

/** The decline of a card from now on, until the answer is called. */
function declining(customerUid: string, decline: Decline): () => void {
  const { charge } = world.gateway;
  world.gateway.charge = async (request) => {
    if (request.customerUid !== customerUid) return charge.call(world.gateway, request);
    world.gateway.script(customerUid, 'decline');
    const answer = await charge.call(world.gateway, request);
    return answer.kind === 'declined' ? { ...answer, record: { ...answer.record, decline } } : answer;
  };
  return () => Object.assign(world.gateway, { charge });
}

const FOR_GOOD = { class: 'card', reason: '분실된 카드' } as const;
const statusOf = async (subscription: string) =>
  (await world.database.db.subscription.findFirstOrThrow({ where: { external_id: subscription } })).status;
const told = async (kind: string) => (await world.database.db.outbox.findMany({ where: { kind } })).length;

test('another card of the payer is charged at once, under its own id, and pays', async () => {
  const subscription = await world.subscribe();
  await backup(subscription, 'second');
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  await world.run();
  expect(await chargesOf(subscription)).toEqual([
    [0, `card of ${subscription}`],
    [0, 'second'],
  ]);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid', failures: 1, retry_key_id: null });
  expect(world.gateway.captures).toMatchObject([{ customerUid: 'second' }]);
});

test('where a decline may turn into a payment, it waits for the gap', async () => {
  Object.assign(world.worker, { channel: () => ({ ...CHANNEL, declinesAreFinal: false }) });
  const subscription = await world.subscribe();
  await backup(subscription, 'second');
  world.gateway.script(`card of ${subscription}`, 'decline');
  await runFor(2);
  expect(await chargesOf(subscription)).toEqual([
    [0, `card of ${subscription}`],
    [24, 'second'],
  ]);
});

test('round after round, each card once, until the ladder is over', async () => {
  const subscription = await world.subscribe();
  await backup(subscription, 'second');
  world.gateway.script(`card of ${subscription}`, 'decline', 'decline', 'decline');
  world.gateway.script('second', 'decline', 'decline', 'decline');
  await runFor(5);
  const own = `card of ${subscription}`;
  expect(await chargesOf(subscription)).toEqual([
    ...[0, 24, 72].flatMap((hours) => [
      [hours, own],
      [expect.any(Number), 'second'],
    ]),
  ]);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'uncollectible', reason: 'retries_exhausted' });
  expect(await statusOf(subscription)).toBe('unpaid');
});

describe('a card that was declined for good', () => {
  test('is not tried again; another one is waited for, and then it is over', async () => {
    const subscription = await world.subscribe();
    declining(`card of ${subscription}`, FOR_GOOD);
    await runFor(6);
    expect(world.gateway.posts).toHaveLength(1);
    expect(await invoiceOf(world, subscription)).toMatchObject({
      state: 'retrying',
      reason: 'awaiting_card',
      failures: 1,
    });
    expect(await statusOf(subscription)).toBe('past_due');
    expect(await told('invoice.card_needed')).toBe(1);
    await runFor(2);
    expect(await invoiceOf(world, subscription)).toMatchObject({
      state: 'uncollectible',
      reason: 'no_card_left',
      failures: 1,
    });
    expect(await statusOf(subscription)).toBe('unpaid');
    expect([await told('charge.failed'), await told('invoice.uncollectible')]).toEqual([1, 1]);
    expect(world.gateway.posts).toHaveLength(1);
  });

  test('is made good by a new one, which is charged at once', async () => {
    const subscription = await world.subscribe();
    declining(`card of ${subscription}`, FOR_GOOD);
    await runFor(2);
    await change(subscription, 'a new card');
    await world.run();
    expect(await chargesOf(subscription)).toEqual([
      [0, `card of ${subscription}`],
      [48, 'a new card'],
    ]);
    expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid', reason: null });
    expect(await statusOf(subscription)).toBe('active');
  });

  test('is made good by one that came when nothing could be charged at once', async () => {
    const { worker, scheduler } = world;
    const notFinal = { channel: () => ({ ...CHANNEL, declinesAreFinal: false }) };
    Object.assign(worker, notFinal);
    Object.assign(scheduler, notFinal);
    const subscription = await world.subscribe();
    declining(`card of ${subscription}`, FOR_GOOD);
    await world.run();
    await change(subscription, 'a new card', false);
    await runFor(2);
    expect(await chargesOf(subscription)).toEqual([
      [0, `card of ${subscription}`],
      [24, 'a new card'],
    ]);
  });
});

test('a card is declined no more often than its cap, across invoices, and goes on when the oldest decline has aged', async () => {
  await follow({ ...POLICY, classes: {}, retryAfterDays: [1, 2, 3], perCard: { declines: 3, days: 10 } });
  const [one, other] = [await world.subscribe({ customer: 'kim' }), await world.subscribe({ customer: 'kim' })];
  const { db } = world.database;
  await db.$executeRaw`
    UPDATE subscription SET billing_key_id = (SELECT id FROM billing_key WHERE customer_uid = ${`card of ${one}`})`;
  world.gateway.script(`card of ${one}`, ...Array.from({ length: 9 }, () => 'decline' as const));
  await runFor(9);
  expect(world.gateway.posts).toHaveLength(3);
  const { attempts } = await invoiceOf(world, other);
  expect(attempts.at(-1)?.fail_reason ?? (await invoiceOf(world, one)).attempts.at(-1)?.fail_reason).toMatch(
    /as often as is allowed/,
  );
  await runFor(2);
  expect(world.gateway.posts.length).toBeGreaterThan(3);
});

test('a changed policy applies from the next decision on, and the invoice names the version', async () => {
  await follow({ ...POLICY, classes: {}, retryAfterDays: [2] });
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline', 'decline');
  await world.run();
  const { next_at: next, policy_version_id: first } = await invoiceOf(world, subscription);
  await follow({ ...POLICY, classes: {}, retryAfterDays: [1, 4, 9] });
  expect((await invoiceOf(world, subscription)).next_at).toEqual(next);
  await runFor(3);
  const invoice = await invoiceOf(world, subscription);
  expect(invoice.next_at).toEqual(new Date(invoice.due_at.getTime() + 4 * 86_400_000));
  expect(invoice.policy_version_id).not.toBe(first);
});

test('what the company cannot say is looked up, and not taken for a decline before the horizon', async () => {
  const subscription = await world.subscribe();
  declining(`card of ${subscription}`, { class: 'verify', reason: '통신오류' });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'open', attempts: [{ state: 'unknown' }] });
  world.gateway.land((await invoiceOf(world, subscription)).attempts[0]?.merchant_uid ?? '', 'paid');
  await world.advance({ minutes: 1 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid', failures: 0 });
});

async function change(subscription: string, customerUid: string, declinesAreFinal = true): Promise<void> {
  const { db } = world.database;
  const channel = () => ({ quarantineSeconds: 86_400, declinesAreFinal });
  const deps = { db, fingerprint: FINGERPRINT, versions: {}, channel };
  const said = { actor: 'api', reason: 'the payer gave it' };
  await orderCardChange(deps, subscription, { customerUid }, said);
}
