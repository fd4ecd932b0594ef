import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { DeclineClass } from '../../src/billing/charge.ts';
import { parseInvoiceId } from '../../src/billing/ids.ts';
import type { DunningPolicy } from '../../src/billing/policy.ts';
import type { SubscriptionOrder } from '../../src/billing/subscription-order.ts';
import { orderIntervention } from '../../src/operator/intervene.ts';
import { orderSubscription } from '../../src/operator/order-subscription.ts';
import { keepPolicyVersion } from '../../src/store/policy-versions.ts';
import { findForOrder } from '../../src/store/subscription-orders.ts';
import { CHANNEL, FINGERPRINT, invoicesOf, newWorld, type World } from '../support/world.ts';

let world: World;
let subscription: string;
beforeEach(async () => {
  world = await newWorld();
  await follow(POLICY);
  subscription = await world.subscribe();
});
afterEach(() => world.end());

const POLICY: DunningPolicy = {
  retryAfterDays: [1, 3],
  minGapHours: 24,
  waitForCardDays: 7,
  classes: { funds: { retryAfterDays: [10, 20], card: 'next' }, card: { retryAfterDays: [], card: 'other' } },
  steps: [
    { name: 'told', afterDays: 0 },
    { name: 'warned', afterDays: 2 },
    { name: 'locked', afterDays: 4, access: 'suspended' },
  ],
};

async function follow(policy: DunningPolicy): Promise<void> {
  const version = JSON.stringify(policy).length.toString();
  await keepPolicyVersion(world.database.db, version, policy);
  for (const flow of [world.worker, world.scheduler]) Object.assign(flow, { policyVersions: { default: version } });
}

async function order(wish: SubscriptionOrder, of = subscription) {
  const { db } = world.database;
  const channel = () => ({ ...CHANNEL, declinesAreFinal: true });
  const said = { actor: 'api', reason: 'the subscriber asked' };
  return orderSubscription({ db, fingerprint: FINGERPRINT, versions: { default: 'test' }, channel }, of, wish, said);
}

/** The next charges of the subscription are declined so; the first one only once `meanwhile` is done. */
function declining(
  declined: DeclineClass,
  meanwhile: () => Promise<unknown> = async () => {},
  of = subscription,
): void {
  const { charge } = world.gateway;
  let isFirst = true;
  world.gateway.charge = async (request) => {
    if (request.customerUid !== `card of ${of}`) return charge.call(world.gateway, request);
    world.gateway.script(request.customerUid, 'decline');
    const answer = await charge.call(world.gateway, request);
    if (isFirst) await meanwhile();
    isFirst = false;
    const decline = { class: declined, reason: declined };
    return answer.kind === 'declined' ? { ...answer, record: { ...answer.record, decline } } : answer;
  };
}

async function runFor(days: number): Promise<void> {
  for (let hours = 0; hours < days * 24; hours += 12) {
    await world.run();
    await world.advance({ hours: 12 });
  }
}

const invoices = async (of = subscription) =>
  (await invoicesOf(world, of)).map(({ state, reason, failures }) => [state, reason, failures]);
const row = async (of = subscription) =>
  world.database.db.subscription.findUniqueOrThrow({ where: { external_id: of } });
const told = async (kind: string) => world.database.db.outbox.count({ where: { kind } });

describe.each<DeclineClass>(['card', 'funds'])('a decline for %s that comes', (declined) => {
  test('after a pause holds its invoice, which no step and no end reaches any more', async () => {
    declining(declined, () => order({ kind: 'pause' }));
    await runFor(12);
    expect([await invoices(), await told('dunning.step_entered')]).toEqual([[['held', 'subscription_stopped', 1]], 0]);
  });

  test('after a cancel is owed no more, and nobody hears of steps', async () => {
    declining(declined, () => order({ kind: 'cancel', at: 'now' }));
    await runFor(12);
    expect([await invoices(), await told('dunning.step_entered')]).toEqual([[['void', 'subscription_canceled', 1]], 0]);
  });
});

test('where one invoice ends its subscription, the others of it end as well', async () => {
  await follow({ ...POLICY, end: 'cancel', classes: { funds: { retryAfterDays: [10], card: 'next' } }, steps: [] });
  subscription = await world.subscribe({ interval: 'week' });
  declining('funds');
  await runFor(12);
  expect(await invoices()).toEqual([
    ['uncollectible', 'retries_exhausted', 2],
    ['void', 'subscription_canceled', 1],
  ]);
});

test('what waited for a card when somebody died between the two statements of a pause is held, not given up', async () => {
  declining('card');
  await runFor(1);
  const { db } = world.database;
  expect(await findForOrder(db, subscription)).not.toBeNull();
  await db.$executeRaw`UPDATE subscription SET status = 'paused', paused_at = maedal_now() WHERE external_id = ${subscription}`;
  await runFor(10);
  expect(await invoices()).toEqual([['held', 'subscription_stopped', 1]]);
});

test('a subscription stays past due while an invoice of it is held for the account’s fault, whatever else is paid', async () => {
  await follow({ ...POLICY, classes: {}, steps: [] });
  const { charge } = world.gateway;
  declining('config');
  await runFor(6);
  Object.assign(world.gateway, { charge });
  await runFor(28);
  expect(await invoices()).toEqual([
    ['held', 'account_refused', 3],
    ['paid', null, 0],
  ]);
  expect(await row()).toMatchObject({ status: 'past_due', access: 'grace' });
});

test('what the account was refused for uses up none of the payer’s rungs', async () => {
  await follow({ ...POLICY, classes: {}, steps: [], retryAfterDays: [1, 3], end: 'cancel' });
  const { charge } = world.gateway;
  declining('config');
  await runFor(2); // two refusals
  Object.assign(world.gateway, { charge });
  world.gateway.script(`card of ${subscription}`, 'decline');
  await runFor(6);
  expect(await invoices()).toEqual([['paid', null, 3]]);
});

test('once what was given up is owed no more, the others of its subscription are collected again', async () => {
  subscription = await world.subscribe({ interval: 'week' });
  await follow({ ...POLICY, classes: { funds: { retryAfterDays: [9], card: 'next' } }, steps: [] });
  const { charge } = world.gateway;
  declining('funds');
  await runFor(10);
  expect([(await row()).status, await invoices()]).toEqual([
    'unpaid',
    [
      ['uncollectible', 'retries_exhausted', 2],
      ['held', 'subscription_stopped', 1],
    ],
  ]);
  Object.assign(world.gateway, { charge });
  const [given] = await invoicesOf(world, subscription);
  const deps = {
    db: world.database.db,
    fingerprint: FINGERPRINT,
    channel: () => ({ ...CHANNEL, declinesAreFinal: true }),
  };
  await orderIntervention(deps, parseInvoiceId(given?.id ?? ''), 'void', { actor: 'kim@host', reason: 'a courtesy' });
  expect(await row()).toMatchObject({ status: 'past_due', access: 'grace' });
  await runFor(10);
  expect((await invoices()).slice(1)).toEqual([
    ['paid', null, 1],
    ['paid', null, 0],
  ]);
  expect((await row()).status).toBe('active');
});

test('what is let go without a decline of its own is charged, and waits for no card', async () => {
  const { db } = world.database;
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  // Its declined attempt turned out paid, was given back in the gateway's console, and released from review by a person.
  await db.$executeRaw`UPDATE attempt SET state = 'paid', imp_uid = coalesce(imp_uid, 'imps_late')`;
  await db.$executeRaw`UPDATE attempt SET state = 'review', answered_at = NULL`;
  await db.$executeRaw`UPDATE attempt SET state = 'canceled'`;
  await order({ kind: 'pause' });
  await order({ kind: 'resume', anchor: 'keep' });
  await runFor(2);
  expect(await invoices()).toEqual([['paid', null, 1]]);
});

describe('access', () => {
  test('that a step took away is not given back by a pause and its end', async () => {
    declining('funds');
    await runFor(4.5);
    expect((await row()).access).toBe('suspended');
    await order({ kind: 'pause' });
    await order({ kind: 'resume', anchor: 'keep' });
    expect(await row()).toMatchObject({ status: 'past_due', access: 'suspended' });
  });

  test('nor where periods pile up behind one that was given up', async () => {
    await follow({ ...POLICY, classes: {}, retryAfterDays: [], end: 'unpaid', later: 'accumulate' });
    declining('funds');
    await runFor(1);
    await order({ kind: 'pause' });
    await order({ kind: 'resume', anchor: 'keep' });
    expect(await row()).toMatchObject({ status: 'past_due', access: 'suspended' });
  });

  test('comes back as far as what is still owed lets it', async () => {
    subscription = await world.subscribe({ interval: 'week' });
    const { charge } = world.gateway;
    declining('funds');
    await runFor(8); // the first week is past its last step, the second at its first
    expect((await row()).access).toBe('suspended');
    Object.assign(world.gateway, { charge });
    await runFor(2.5); // the first week is paid on day 10
    expect(await invoices()).toMatchObject([
      ['paid', null, 1],
      ['retrying', null, 1],
    ]);
    expect(await row()).toMatchObject({ status: 'past_due', access: 'grace' });
  });

  test('is not taken for what was written off long ago', async () => {
    await follow({ ...POLICY, classes: {}, retryAfterDays: [5], end: 'write_off' });
    declining('funds');
    await runFor(6);
    expect(await invoices()).toEqual([['uncollectible', 'written_off', 2]]);
    expect(await row()).toMatchObject({ status: 'active', access: 'full' });
    await runFor(23);
    expect(await row()).toMatchObject({ status: 'past_due', access: 'grace' });
  });

  test('is taken on its day where the next try is put off', async () => {
    await follow({ ...POLICY, classes: {}, retryAfterDays: [1], perCard: { declines: 1, days: 30 } });
    declining('funds');
    await runFor(5);
    expect([await told('dunning.step_entered'), (await row()).access]).toEqual([3, 'suspended']);
  });

  test('a try that is due goes before the step of its day', async () => {
    await follow({ ...POLICY, classes: {}, retryAfterDays: [4] });
    world.gateway.script(`card of ${subscription}`, 'decline');
    await runFor(5);
    expect(await invoices()).toEqual([['paid', null, 1]]);
    expect(await told('dunning.step_entered')).toBe(2);
  });
});
