import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { DunningPolicy } from '../../src/billing/policy.ts';
import { sweep } from '../../src/scheduler/sweep.ts';
import { keepPolicyVersion } from '../../src/store/policy-versions.ts';
import { enterSteps } from '../../src/store/steps.ts';
import { newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
  await keepPolicyVersion(world.database.db, 'steps', POLICY);
  Object.assign(world.worker, { policyVersions: { default: 'steps' } });
  Object.assign(world.scheduler, { policyVersions: { default: 'steps' } });
});
afterEach(() => world.end());

const POLICY: DunningPolicy = {
  retryAfterDays: [1, 3, 5],
  minGapHours: 24,
  steps: [
    { name: 'told', afterDays: 0 },
    { name: 'warned', afterDays: 2 },
    { name: 'locked', afterDays: 4, access: 'suspended' },
  ],
};

const accessOf = async (externalId: string) =>
  (await world.database.db.subscription.findFirstOrThrow({ where: { external_id: externalId } })).access;
const entered = async () =>
  (await world.database.db.outbox.findMany({ where: { kind: 'dunning.step_entered' }, orderBy: { id: 'asc' } })).map(
    ({ payload }) => Object(payload),
  );

async function runFor(days: number): Promise<void> {
  for (let hours = 0; hours < days * 24; hours += 12) {
    await world.run();
    await world.advance({ hours: 12 });
  }
}

test('an unpaid invoice enters each step once, on its day, and access goes with it until it is paid', async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline', 'decline', 'decline');
  expect(await accessOf(subscription)).toBe('full');
  await world.run();
  await world.run();
  expect([await accessOf(subscription), (await entered()).map(({ step }) => step)]).toEqual(['grace', ['told']]);
  await runFor(3.5);
  expect([await accessOf(subscription), (await entered()).map(({ step }) => step)]).toEqual([
    'grace',
    ['told', 'warned'],
  ]);
  await runFor(1);
  expect(await accessOf(subscription)).toBe('suspended');
  await runFor(2);
  expect(await accessOf(subscription)).toBe('full'); // the last rung was paid
  expect(await entered()).toMatchObject([
    { step: 'told', number: 1, access: null, subscription_id: subscription },
    { step: 'warned', number: 2, access: null },
    { step: 'locked', number: 3, access: 'suspended' },
  ]);
});

test('what is paid before its step is not told of it, and loses nothing', async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline');
  await runFor(10);
  expect((await entered()).map(({ step }) => step)).toEqual(['told']);
  expect(await accessOf(subscription)).toBe('full');
});

test('who never pays loses access at the end, steps or not', async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline', 'decline', 'decline', 'decline');
  await runFor(7);
  expect(await accessOf(subscription)).toBe('suspended');
});

test('eight schedulers at once enter a step once; after an outage all that are due are entered in their order', async () => {
  const subscription = await world.subscribe();
  await keepPolicyVersion(world.database.db, 'later', { ...POLICY, retryAfterDays: [5] });
  Object.assign(world.worker, { policyVersions: { default: 'later' } });
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  await world.advance({ days: 4 });
  const { db } = world.database;
  await Promise.all(Array.from({ length: 8 }, () => enterSteps(db, 10)));
  await sweep(world.scheduler);
  expect((await entered()).map(({ step, number }) => [step, number])).toEqual([
    ['told', 1],
    ['warned', 2],
    ['locked', 3],
  ]);
});

test('a policy that has fewer steps by now ends them without a word', async () => {
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline', 'decline', 'decline', 'decline');
  await runFor(1);
  await keepPolicyVersion(world.database.db, 'fewer', { ...POLICY, steps: [{ name: 'told', afterDays: 0 }] });
  Object.assign(world.worker, { policyVersions: { default: 'fewer' } });
  await runFor(3);
  expect((await entered()).map(({ step }) => step)).toEqual(['told']);
  expect(await world.database.db.invoice.findMany()).toMatchObject([{ step_at: null }]);
});

test('a try that is planned for the day of a step goes before it, minutes or hours later', async () => {
  const window = { from: '12:00', until: '21:00', timezone: 'Asia/Seoul' };
  await keepPolicyVersion(world.database.db, 'late', { ...POLICY, retryAfterDays: [2, 4], window, jitterMinutes: 200 });
  Object.assign(world.worker, { policyVersions: { default: 'late' } });
  const subscription = await world.subscribe();
  world.gateway.script(`card of ${subscription}`, 'decline', 'decline');
  await world.run();
  await world.advance({ days: 2 });
  await world.run();
  expect((await entered()).map(({ step }) => step)).toEqual(['told']);
  for (let minutes = 0; minutes < 8 * 60; minutes += 20) {
    await world.advance({ minutes: 20 });
    await world.run();
    await world.run();
    expect((await entered()).length).toBe(world.gateway.posts.length); // `warned` with the second one, not before
  }
  expect((await entered()).map(({ step }) => step)).toEqual(['told', 'warned']);
  await runFor(3);
  expect(await accessOf(subscription)).toBe('full'); // paid on the day on which it would have been locked
  expect((await entered()).map(({ step }) => step)).toEqual(['told', 'warned']);
});

test('where the try of its day is put off, a step is entered all the same', async () => {
  await keepPolicyVersion(world.database.db, 'same day', { ...POLICY, retryAfterDays: [2] });
  Object.assign(world.worker, { policyVersions: { default: 'same day' } });
  const subscription = await world.subscribe();
  world.gateway.script(
    `card of ${subscription}`,
    'decline',
    ...Array.from({ length: 30 }, () => 'refuse-connection' as const),
  );
  await runFor(2);
  for (let minutes = 0; minutes < 60; minutes += 4) {
    await world.run();
    await world.advance({ minutes: 4 });
  }
  expect((await entered()).map(({ step }) => step)).toEqual(['told', 'warned']);
  expect(await world.database.db.invoice.findMany()).toMatchObject([{ state: 'retrying', failures: 1 }]);
});
