import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Decline } from '../../src/billing/charge.ts';
import type { DunningPolicy } from '../../src/billing/policy.ts';
import { explainInvoice, renderExplanation } from '../../src/operator/explain.ts';
import { tick } from '../../src/scheduler/tick.ts';
import type { Ring } from '../../src/store/due.ts';
import { keepPolicyVersion } from '../../src/store/policy-versions.ts';
import { runJob } from '../../src/worker/run-job.ts';
import { FINGERPRINT, invoiceOf, newWorld, type World } from '../support/world.ts';

// The world begins on a Sunday, 10:00 in Seoul.
let world: World;
beforeEach(async () => {
  world = await newWorld();
  await follow(POLICY);
});
afterEach(() => world.end());

const WINDOW = { from: '09:00', until: '21:00', timezone: 'Asia/Seoul' };
const POLICY: DunningPolicy = { retryAfterDays: [1, 3], minGapHours: 1 };
const TODAY: Decline = { class: 'funds', reason: '1일 사용횟수 초과', blockedToday: true };

async function follow(policy: DunningPolicy): Promise<void> {
  const version = JSON.stringify(policy);
  await keepPolicyVersion(world.database.db, version, policy);
  Object.assign(world.worker, { policyVersions: { default: version } });
  Object.assign(world.scheduler, { policyVersions: { default: version } });
}

/** The hours since the beginning at which anything was charged, and whose. */
let charges: [hours: number, customerUid: string][];

/** Has every charge of the card declined so until midnight in Seoul, and paid from then on. */
function blockingToday(customerUid: string): void {
  const { charge } = world.gateway;
  const began = world.now;
  charges = [];
  world.gateway.charge = async (request) => {
    const hours = world.now.diff(began).as('hours');
    charges.push([hours, request.customerUid]);
    if (request.customerUid === customerUid && hours < 14) world.gateway.script(customerUid, 'decline');
    const answer = await charge.call(world.gateway, request);
    return answer.kind === 'declined' ? { ...answer, record: { ...answer.record, decline: TODAY } } : answer;
  };
}

/** Puts several subscriptions on the card of the first. */
async function sharing(...subscriptions: readonly string[]): Promise<string> {
  const card = `card of ${subscriptions[0]}`;
  await world.database.db.$executeRaw`
    UPDATE subscription SET billing_key_id = (SELECT id FROM billing_key WHERE customer_uid = ${card})
     WHERE external_id = ANY(${[...subscriptions]}::text[])`;
  return card;
}

async function runFor(hours: number): Promise<void> {
  for (let hour = 0; hour < hours; hour += 1) {
    await world.run();
    await world.advance({ hours: 1 });
  }
}

/** What `maedal explain` says of the only invoice of a subscription. */
async function explained(subscription: string): Promise<string[]> {
  const { id } = await invoiceOf(world, subscription);
  const identity = { fingerprint: FINGERPRINT, needsAdoption: false };
  return renderExplanation(await explainInvoice(world.database.db, id, identity)).split('\n');
}

test('a card that is blocked today is left alone by all its invoices until midnight, and each then goes once', async () => {
  const names = [await world.subscribe({ customer: 'kim' }), await world.subscribe({ customer: 'kim' })];
  const card = await sharing(...names);
  blockingToday(card);
  await runFor(48);
  expect(charges).toEqual([
    [0, card],
    [14, card],
    [24, card],
  ]);
  for (const name of names) expect(await invoiceOf(world, name)).toMatchObject({ state: 'paid' });
  expect(world.gateway.captures).toHaveLength(2);
});

test('nor is it tried before tomorrow by a rung that comes sooner', async () => {
  await follow({ ...POLICY, retryAfterDays: [0, 1] });
  const card = await sharing(await world.subscribe());
  blockingToday(card);
  await runFor(48);
  expect(charges).toEqual([
    [0, card],
    [14, card],
  ]);
});

test('where the policy has hours, it goes in those of tomorrow', async () => {
  await follow({ ...POLICY, retryAfterDays: [0, 3], window: WINDOW });
  const names = [await world.subscribe({ customer: 'kim' }), await world.subscribe({ customer: 'kim' })];
  const card = await sharing(...names);
  blockingToday(card);
  await runFor(48);
  expect(charges).toEqual([
    [0, card],
    [23, card],
    [23, card],
  ]);
});

test('a new card is free at once, and so are the cards of others', async () => {
  const [one, other] = [await world.subscribe({ customer: 'kim' }), await world.subscribe({ customer: 'kim' })];
  blockingToday(`card of ${one}`);
  await world.run();
  expect(charges.map(([, card]) => card).sort()).toEqual([`card of ${one}`, `card of ${other}`].sort());
  await world.database.db.$executeRaw`
    WITH k AS (INSERT INTO billing_key (customer_id, customer_uid) SELECT customer_id, 'new' FROM subscription LIMIT 1 RETURNING id)
    UPDATE subscription SET billing_key_id = k.id FROM k WHERE external_id = ${one}`;
  await world.database.db.$executeRaw`UPDATE invoice SET next_at = maedal_now() WHERE state = 'retrying'`;
  await world.run();
  expect(charges.at(-1)).toEqual([0, 'new']);
  expect(await invoiceOf(world, one)).toMatchObject({ state: 'paid' });
});

test('nothing goes on it however many workers charge it at once, and nothing of that is lost', async () => {
  const first = await world.subscribe({ customer: 'kim' });
  blockingToday(await sharing(first));
  await world.run();
  const names = await Promise.all(Array.from({ length: 8 }, () => world.subscribe({ customer: 'kim' })));
  await sharing(first, ...names);
  const rings: Ring[] = [];
  await tick({ ...world.scheduler, ring: async (added) => void rings.push(...added) });
  expect(rings).toHaveLength(names.length);
  await Promise.all(rings.map((job) => runJob(world.worker, job)));
  expect(charges).toHaveLength(1);
  const open = await world.database.db.attempt.findMany({ where: { state: 'prepared' } });
  expect(open.map(({ send_count }) => send_count)).toEqual(names.map(() => 0));
  await runFor(48);
  expect(charges.filter(([hours]) => hours < 14)).toHaveLength(1);
  expect(world.gateway.captures).toHaveLength(9);
});

test('what went out under its own id already, and never left, waits as well', async () => {
  const names = [await world.subscribe({ customer: 'kim' }), await world.subscribe({ customer: 'kim' })];
  const card = await sharing(...names);
  world.gateway.script(card, 'pay', 'refuse-connection');
  await world.run();
  await world.database.db.$executeRaw`UPDATE attempt SET card_blocked_until = maedal_now() + interval '5 hours'
    WHERE state = 'paid'`;
  expect(world.gateway.captures).toHaveLength(1);
  await runFor(4);
  expect(world.gateway.captures).toHaveLength(1);
  await runFor(3);
  expect(world.gateway.captures).toHaveLength(2);
});

test('a cap that ends later is waited for, and so is a block that does', async () => {
  await follow({ ...POLICY, perCard: { declines: 1, days: 1 } });
  const names = [await world.subscribe({ customer: 'kim' }), await world.subscribe({ customer: 'kim' })];
  blockingToday(await sharing(...names));
  await world.run();
  const waiting = { where: { state: 'open' } };
  expect(await world.database.db.invoice.findFirst(waiting)).toMatchObject({
    next_at: world.now.plus({ days: 1 }).toJSDate(),
  });
  expect(await world.database.db.attempt.findFirst({ where: { state: 'prepared' } })).toMatchObject({
    fail_reason: 'its card was declined as often as is allowed',
  });
  await world.database.db.$executeRaw`UPDATE attempt SET card_blocked_until = maedal_now() + interval '2 days'
    WHERE state = 'declined'`;
  await world.database.db.$executeRaw`UPDATE invoice SET next_at = maedal_now() WHERE state = 'open'`;
  await world.run();
  expect(await world.database.db.invoice.findFirst(waiting)).toMatchObject({
    next_at: world.now.plus({ days: 2 }).toJSDate(),
  });
});

test('explain says of both why, and until when', async () => {
  const names = [await world.subscribe({ customer: 'kim' }), await world.subscribe({ customer: 'kim' })];
  blockingToday(await sharing(...names));
  await world.run();
  const [one = '', other = ''] = (await invoiceOf(world, names[0] ?? '')).failures > 0 ? names : names.toReversed();
  expect(await explained(one)).toContain(
    '    The payment company says that its card may not be tried again that day: nothing goes on it before 2027-02-01 00:00:00.',
  );
  const waiting = await explained(other);
  expect(waiting).toContain(
    '  2027-01-31 10:00:00  Attempt 1 was put off: its card may not be tried again today, as the payment company said of another charge [maedal/test]',
  );
  expect(waiting).toContain('  Attempt 1 is charged at 2027-02-01 00:00:00.');
});
