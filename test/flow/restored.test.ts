import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseInvoiceId } from '../../src/billing/ids.ts';
import { orderIntervention } from '../../src/operator/intervene.ts';
import { stopSending } from '../../src/store/control.ts';
import { keepPolicyVersion } from '../../src/store/policy-versions.ts';
import { raiseUnknownCaptures, resumeSending } from '../../src/store/sending-alarms.ts';
import { CHANNEL, FINGERPRINT, invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

/** A decline and the payment of its retry; then a backup from before both comes back. */
async function forgotten(): Promise<string> {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  await world.advance({ days: 1 });
  await world.run(); // the second attempt is paid
  await forget();
  return subscription;
}

/** A backup from before all attempts comes back. */
async function forget(): Promise<void> {
  const { db } = world.database;
  await db.$executeRaw`TRUNCATE attempt, invoice, observation, outbox CASCADE`;
  await db.$executeRaw`UPDATE subscription SET status = 'active', next_period = 0, next_due_at = maedal_now(), last_drawn_at = NULL`;
}

test('a restored database that forgot a later attempt does not charge: the gateway knows an id that it does not', async () => {
  const subscription = await forgotten();
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({
    state: 'review',
    reason: expect.stringMatching(/the gateway knows attempt 2/),
  });
  expect(world.gateway.captures).toHaveLength(1);
});

test('nor does one that forgot a try by hand, beyond the last rung of any ladder', async () => {
  await keepPolicyVersion(world.database.db, 'once', { retryAfterDays: [], minGapHours: 24 });
  for (const deps of [world.worker, world.scheduler]) Object.assign(deps, { policyVersions: { default: 'once' } });
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline', 'decline', 'decline', 'decline', 'decline');
  await world.run();
  for (let tries = 0; tries < 5; tries += 1) {
    await world.advance({ days: 1 });
    const { id } = await invoiceOf(world, subscription);
    const deps = { db: world.database.db, fingerprint: FINGERPRINT, channel: () => CHANNEL };
    await orderIntervention(deps, parseInvoiceId(id), 'retry', { actor: 'cli:kim', reason: 'the customer called' });
    await world.run();
  }
  expect(world.gateway.captures).toHaveLength(1);
  await forget();
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({
    state: 'review',
    reason: expect.stringMatching(/the gateway knows attempt 6/),
  });
  expect(world.gateway.captures).toHaveLength(1);
});

test('an audit that passes once a person let charges go again vouches for nothing that was due by then', async () => {
  const subscription = await forgotten();
  const { db } = world.database;
  await raiseUnknownCaptures(db, [{ impUid: 'imps_x', reason: 'unknown' }], {
    actor: 'maedal/audit',
    reason: 'unknown',
  });
  await resumeSending(db, { actor: 'cli:kim', reason: 'looked at what the audit found' }, 1);
  await world.advance({ minutes: 1 });
  await db.$executeRaw`UPDATE control SET audited_at = maedal_now(), audited_in = maedal_incarnation()`;
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'review' });
  expect(world.gateway.captures).toHaveLength(1);
});

test('where a person alone had stopped the charges, an audit that passes vouches for what was due by then', async () => {
  await world.subscribe();
  const { db } = world.database;
  await stopSending(db, { actor: 'cli:kim', reason: 'the shop moves house' });
  await resumeSending(db, { actor: 'cli:kim', reason: 'it has moved' });
  await db.$executeRaw`UPDATE control SET audited_at = maedal_now(), audited_in = maedal_incarnation()`;
  world.gateway.lookUps = 'unclear';
  await world.run();
  expect(world.gateway.captures).toHaveLength(1); // nothing had to be looked up
});

test('a copy by CREATE DATABASE … TEMPLATE leads another life than the database that an audit looked at', async () => {
  const life = async ({ database: { db } }: World) =>
    (await db.$queryRaw<{ life: string }[]>`SELECT maedal_incarnation() AS life`)[0]?.life.split('/');
  const copy = await newWorld(); // both are made of one template
  const [one, other] = [await life(world), await life(copy)];
  await copy.end();
  expect(one?.slice(0, 2)).toEqual(other?.slice(0, 2));
  expect(one).not.toEqual(other);
});

/** An audit looked at this database when it led another life. */
async function auditedBefore(): Promise<void> {
  await world.database.db.$executeRaw`UPDATE control SET audited_at = maedal_now(), audited_in = 'another life'`;
}

test('a restored database does not believe "not found" where a payment that it knows is not found either', async () => {
  await world.subscribe({ externalId: 'canary' });
  await world.run();
  await auditedBefore();
  world.gateway.lookUps = 'absent'; // another account's answers
  const subscription = await world.subscribe();
  await world.run();
  expect(world.gateway.posts).toHaveLength(1);
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([
    {
      state: 'prepared',
      fail_reason: expect.stringMatching(/this database may not be what it was, and .* either, which was paid/),
    },
  ]);
  world.gateway.lookUps = 'truthful';
  await world.advance({ minutes: 1 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('where it knows no payment at all, it waits for an audit; one that was never audited before does not', async () => {
  await auditedBefore();
  const subscription = await world.subscribe();
  await world.run();
  expect(world.gateway.posts).toHaveLength(0);
  await world.database.db.$executeRaw`UPDATE control SET audited_at = NULL, audited_in = NULL`;
  await world.advance({ minutes: 1 });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('a payment that was given back since, and one that somebody else took, still show that the look-up sees', async () => {
  const canary = await world.subscribe({ externalId: 'canary' });
  await world.run();
  await auditedBefore();
  world.gateway.land((await invoiceOf(world, canary)).attempts[0]?.merchant_uid ?? '', 'cancelled');
  const subscription = await world.subscribe();
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});
