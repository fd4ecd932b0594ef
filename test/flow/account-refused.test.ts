import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseInvoiceId } from '../../src/billing/ids.ts';
import { orderIntervention } from '../../src/operator/intervene.ts';
import { tick } from '../../src/scheduler/tick.ts';
import { stopStore } from '../../src/store/channel-stops.ts';
import type { Ring } from '../../src/store/due.ts';
import { keepPolicyVersion } from '../../src/store/policy-versions.ts';
import { unknownShareBrake } from '../../src/worker/brake.ts';
import type { WorkerDeps } from '../../src/worker/deps.ts';
import { runJob } from '../../src/worker/run-job.ts';
import { sharedStops } from '../../src/worker/stops.ts';
import { CHANNEL, FINGERPRINT, invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
  await keepPolicyVersion(world.database.db, 'two rungs', { retryAfterDays: [1, 3], minGapHours: 24 });
  for (const flow of [world.worker, world.scheduler]) Object.assign(flow, { policyVersions: { default: 'two rungs' } });
});
afterEach(() => world.end());

test('a decline that is the account’s own fault stops the channel, for it would decline every card', async () => {
  const stopped: string[] = [];
  const stop = async (reason: string, channel?: string) => void stopped.push(`${channel}: ${reason}`);
  Object.assign(world.worker, { brake: { ...world.worker.brake, stop } });
  const subscription = await world.subscribe();
  declining(`card of ${subscription}`);
  await world.run();
  expect(stopped).toEqual(['default: [2116]개인 월 한도금액 초과']);
  expect(world.events).toContainEqual({
    kind: 'gateway.refused',
    reason: '[2116]개인 월 한도금액 초과',
    channel: 'default',
  });
  // Learnt by a look-up, it says the same.
  const unanswered = await world.subscribe();
  world.gateway.declineAs = 'config';
  world.gateway.script(`card of ${unanswered}`, 'lose');
  await world.run();
  world.gateway.land((await invoiceOf(world, unanswered)).attempts[0]?.merchant_uid ?? '', 'failed');
  await world.advance({ minutes: 1 });
  await world.run();
  expect(stopped).toHaveLength(2);
});

test('one worker’s refusal stops the charges of another, until one that finds out is paid', async () => {
  const refused = async () => declining(`card of ${await world.subscribe()}`);
  await refused();
  const workers = [anotherWorker(), anotherWorker()];
  const pass = async (seconds: number) => {
    await world.advance({ seconds });
    const rings: Ring[] = [];
    await tick({ ...world.scheduler, ring: async (added) => void rings.push(...added) });
    for (const [index, job] of rings.entries()) await runJob(workers[index % 2] ?? world.worker, job);
    return world.gateway.posts.length;
  };
  expect(await pass(0)).toBe(1);
  const mends = [await refused(), await refused()];
  expect(await pass(30)).toBe(1);
  expect(await pass(40)).toBe(2); // the one that finds out is refused again
  for (const mend of mends) mend();
  expect(await pass(70)).toBe(3);
  expect(await world.database.db.invoice.count({ where: { state: 'paid' } })).toBe(1);
});

test('an account that is refused to the last rung holds its invoices: mended and released, they are paid', async () => {
  const { db } = world.database;
  const subscription = await world.subscribe();
  const mend = declining(`card of ${subscription}`);
  await runFor(5);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'held', reason: 'account_refused', failures: 3 });
  expect(await statusOf(subscription)).toBe('past_due');
  mend();
  const deps = { db, fingerprint: FINGERPRINT, channel: () => ({ ...CHANNEL, declinesAreFinal: true }) };
  const { id } = await invoiceOf(world, subscription);
  await orderIntervention(deps, parseInvoiceId(id), 'release', { actor: 'kim@host', reason: 'the contract is mended' });
  await world.run();
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
  expect(await statusOf(subscription)).toBe('active');
});

/** One that shares nothing with others but the database. */
function anotherWorker(): WorkerDeps {
  const { db } = world.database;
  const clock = { ...world.worker.clock, monotonicMs: () => world.now.toMillis() };
  const stops = sharedStops(stopStore(db), clock);
  const { store } = world.worker;
  return { ...world.worker, clock, brake: unknownShareBrake({ store, stops, clock, maxUnknownShare: 1 }) };
}

/** Its card is declined for the account's own fault from now on, until the answer is called. */
function declining(customerUid: string): () => void {
  world.gateway.declineAs = 'config';
  world.gateway.script(customerUid, ...Array.from({ length: 20 }, () => 'decline' as const));
  return () => world.gateway.script(customerUid);
}

async function runFor(days: number): Promise<void> {
  for (let hours = 0; hours < days * 24; hours += 6) {
    await world.run();
    await world.advance({ hours: 6 });
  }
}

async function statusOf(subscription: string): Promise<string> {
  const { status } = await world.database.db.subscription.findUniqueOrThrow({ where: { external_id: subscription } });
  return status;
}
