import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseInvoiceId } from '../../src/billing/ids.ts';
import type { DunningPolicy, Step } from '../../src/billing/policy.ts';
import { orderIntervention } from '../../src/operator/intervene.ts';
import { keepPolicyVersion } from '../../src/store/policy-versions.ts';
import { dunned, GIVES_UP, SAID } from '../support/dunned.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

// A policy may get other steps while an invoice is under way; and what a step took away stays away.

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

const { owing, deps, order, row, days, minutes } = dunned(() => world);

const step = (name: string, afterDays: number, access?: Step['access']): Step => ({ name, afterDays, access });
const POLICY: DunningPolicy = { ...GIVES_UP, retryAfterDays: [1, 2, 3, 4, 5, 6, 7, 8, 9] };
const declines = (count: number) => Array.from({ length: count }, () => 'decline' as const);

async function becomes(steps: readonly Step[]): Promise<void> {
  const name = JSON.stringify(steps);
  await keepPolicyVersion(world.database.db, name, { ...POLICY, steps });
  Object.assign(world.worker, { policyVersions: { default: name } });
}

const told = async () =>
  (await world.database.db.outbox.findMany({ where: { kind: 'dunning.step_entered' }, orderBy: { id: 'asc' } })).map(
    ({ payload }) => [Object(payload).step, Object(payload).number],
  );

test.each<[string, Step[], [string, number][]]>([
  [
    'gets one before those that were entered, it is passed over: its day was before theirs',
    [step('hello', 0), step('told', 1), step('warned', 3), step('locked', 5)],
    [
      ['told', 1],
      ['warned', 2],
      ['locked', 3],
    ],
  ],
  [
    'gets one between, whose day has come, it is entered at the next decision, in its place',
    [step('told', 1), step('asked', 2), step('warned', 3), step('locked', 5)],
    [
      ['told', 1],
      ['asked', 2],
      ['warned', 3],
      ['locked', 4],
    ],
  ],
  [
    'has one fewer, those that are left are entered, each once',
    [step('warned', 3), step('locked', 5)],
    [
      ['told', 1],
      ['warned', 2],
      ['locked', 3],
    ],
  ],
  [
    'has them on other days, none is entered twice',
    [step('told', 4), step('warned', 5), step('locked', 6)],
    [
      ['told', 1],
      ['warned', 2],
      ['locked', 3],
    ],
  ],
])('where the list of a policy %s', async (_, steps, expected) => {
  const id = await owing(
    { ...POLICY, steps: [step('told', 1), step('warned', 3), step('locked', 5)] },
    ...declines(20),
  );
  await days(1);
  await minutes(2);
  expect(await told()).toEqual([['told', 1]]);
  await becomes(steps);
  for (let day = 0; day < 6; day += 1) {
    await days(1);
    await minutes(2);
  }
  expect(await told()).toEqual(expected);
  expect((await invoiceOf(world, id)).entered_steps).toEqual(expected.map(([name]) => name));
});

test('what a step took away stays away under a list that lacks it, and a later step gives none back', async () => {
  const id = await owing({ ...POLICY, steps: [step('locked', 1, 'suspended')] }, ...declines(20));
  await days(1);
  await minutes(2);
  expect((await row(id)).access).toBe('suspended');
  await becomes([step('soft', 2, 'grace')]);
  await days(2);
  await minutes(2);
  expect([await told(), (await row(id)).access]).toEqual([
    [
      ['locked', 1],
      ['soft', 2],
    ],
    'suspended',
  ]);
  await order(id, { kind: 'pause' });
  await order(id, { kind: 'resume', anchor: 'keep' });
  expect(await row(id)).toMatchObject({ status: 'past_due', access: 'suspended' });
});

test('what is declined for the merchant’s own account after a step leaves access as that set it, a pause in between too', async () => {
  const id = await owing({ ...POLICY, steps: [step('locked', 1, 'suspended')] }, ...declines(20));
  await days(1);
  await minutes(2);
  world.gateway.declineAs = 'config';
  await days(1);
  await order(id, { kind: 'pause' });
  await order(id, { kind: 'resume', anchor: 'keep' });
  expect(await row(id)).toMatchObject({ status: 'past_due', access: 'suspended' });
});

test('what was given up and is tried again enters its other steps, and none gives access back while it is unpaid', async () => {
  const steps = [step('told', 0, 'full'), step('soft', 3, 'grace')];
  const id = await owing({ ...GIVES_UP, steps }, 'decline', 'decline', 'decline', 'decline');
  await days(2);
  expect(await row(id)).toMatchObject({ status: 'unpaid', access: 'suspended' });
  await world.database.db.$executeRaw`UPDATE invoice SET step_at = due_at`;
  await keepPolicyVersion(world.database.db, 'anew', { ...POLICY, retryAfterDays: [8, 9], steps });
  Object.assign(world.worker, { policyVersions: { default: 'anew' } });
  await orderIntervention(deps(), parseInvoiceId((await invoiceOf(world, id)).id), 'retry', SAID);
  const seen = new Set<string>();
  for (let day = 0; day < 4; day += 1) {
    await days(1);
    await minutes(2);
    seen.add((await row(id)).access);
  }
  expect((await told()).map(([name]) => name)).toContain('soft');
  expect([...seen]).toEqual(['suspended']);
});
