import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { DateTime } from 'luxon';
import type { Failpoint } from '../../src/failpoints.ts';
import type { Window } from '../../src/gateway/gateway.ts';
import { auditIfDue } from '../../src/scheduler/audit-turn.ts';
import { auditAtBoot, chargeSome, controlOf } from '../support/audits.ts';
import { newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

test('of many schedulers that start at once one audits at a time, and each start is audited after', async () => {
  const since = world.now;
  const audits = await Promise.all(Array.from({ length: 5 }, () => auditIfDue(world.audits, since)));
  expect(audits.filter((one) => one !== null)).toHaveLength(1);
  expect(await auditIfDue(world.audits, since)).toBeNull(); // it began after all of them had started
  await world.advance({ seconds: 1 });
  expect(await auditAtBoot(world)).not.toBeNull(); // one more started
});

test('without a start there is one a day', async () => {
  const since = world.now;
  await auditIfDue(world.audits, since);
  await world.advance({ hours: 23, minutes: 59 });
  expect(await auditIfDue(world.audits, since)).toBeNull();
  await world.advance({ minutes: 1 });
  expect(await auditIfDue(world.audits, since)).not.toBeNull();
});

test.each<[string, () => void]>([
  ['the gateway cannot be reached', () => (world.gateway.readiness = { kind: 'unreachable', reason: 'away' })],
  ['its list cannot be read', () => (world.gateway.lists = 'unclear')],
])('when %s, it is tried again two minutes later', async (_, fail) => {
  const since = world.now;
  fail();
  expect(await auditIfDue(world.audits, since)).toBeNull();
  await world.advance({ seconds: 119 });
  world.gateway.lists = 'truthful';
  expect(await auditIfDue(world.audits, since)).toBeNull();
  await world.advance({ seconds: 1 });
  expect(await auditIfDue(world.audits, since)).not.toBeNull();
});

test.each<Failpoint>(['audit.compared', 'audit.recorded'])('who dies at %s is followed by another', async (point) => {
  await chargeSome(world, 3);
  const failpoints = {
    at: async (name: Failpoint) => {
      if (name === point) throw new Error('dead');
    },
  };
  await expect(auditAtBoot(world, { ...world.audits, failpoints })).rejects.toThrow('dead');
  await world.advance({ minutes: 2 });
  expect(await auditAtBoot(world)).toMatchObject({ listed: 3, findings: [] });
});

test('who lost the turn while listing ends nothing', async () => {
  const { payments } = world.gateway;
  world.gateway.payments = async (window, take) => {
    await world.database.db.$executeRaw`UPDATE control SET audit_fence = audit_fence + 1`;
    return payments.call(world.gateway, window, take as never);
  };
  await auditAtBoot(world);
  expect(await controlOf(world)).toMatchObject({ audited_at: null, audit_begun_at: null });
});

test('the first looks three days and a horizon back, one after an outage to where the last one ended', async () => {
  const windows: Window[] = [];
  const { payments } = world.gateway;
  world.gateway.payments = (window, take) => {
    windows.push(window);
    return payments.call(world.gateway, window, take as never);
  };
  const [first] = [world.now, await auditAtBoot(world)];
  await world.advance({ days: 10 });
  await auditAtBoot(world);
  const days = (from: DateTime, until: DateTime) => until.diff(from).as('days');
  expect(windows.map(({ from, until }) => days(from, until))).toEqual([3 + 1 / 24, 10]);
  expect(windows[1]?.from.toMillis()).toBe(first.toMillis());
});
