import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { sweep } from '../../src/scheduler/sweep.ts';
import { tick } from '../../src/scheduler/tick.ts';
import type { Ring } from '../../src/store/due.ts';
import { runJob } from '../../src/worker/run-job.ts';
import { Crash, crashing } from '../support/crashing.ts';
import type { Behaviour } from '../support/fake-gateway.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

/** More effects than any charge has, so that the last crash points lie past its end. */
const EFFECTS = Array.from({ length: 30 }, (_, at) => at);
const CARDS = ['pay', 'decline', 'capture-silently', 'unauthorized', 'refuse'] as const satisfies readonly Behaviour[];

/** One subscription for each effect at which its worker dies. */
describe.each(CARDS)('where the card would %s', (card) => {
  test.each(['before', 'after'] as const)('a crash %s any effect charges once and loses nothing', async (when) => {
    for (const at of EFFECTS) {
      world.gateway.script(`card of ${nameOf(at)}`, card);
      await world.subscribe({ externalId: nameOf(at) });
    }
    const rings = await ringAll();
    expect(rings).toHaveLength(EFFECTS.length);
    for (const at of EFFECTS) {
      const dying = crashing({ deps: world.worker, db: world.database.db }, at, when);
      const end = await runJob(dying.deps, await ringOf(nameOf(at), rings)).catch((error: unknown) => error);
      expect(end === undefined || end instanceof Crash).toBe(true);
    }
    await recover();
    for (const at of EFFECTS) await expectOnce(nameOf(at));
  });
});

test.each(CARDS)('the list of effects covers a whole charge of a card that would %s', async (card) => {
  world.gateway.script(`card of ${await world.subscribe()}`, card);
  const whole = crashing({ deps: world.worker, db: world.database.db }, 99, 'before');
  const [ring] = await ringAll();
  if (ring !== undefined) await runJob(whole.deps, ring);
  expect(whole.effects().length).toBeGreaterThan(8);
  expect(whole.effects().length).toBeLessThanOrEqual(EFFECTS.length);
});

async function ringAll(): Promise<Ring[]> {
  const rings: Ring[] = [];
  await tick({ ...world.scheduler, ring: async (added) => void rings.push(...added) });
  return rings;
}

async function ringOf(subscription: string, rings: readonly Ring[]): Promise<Ring> {
  const { attempts } = await invoiceOf(world, subscription);
  const ring = rings.find(({ attemptId }) => attemptId === attempts[0]?.id);
  if (ring === undefined) throw new Error(`${subscription} was not rung`);
  return ring;
}

async function expectOnce(subscription: string): Promise<void> {
  const invoice = await invoiceOf(world, subscription);
  const ids = invoice.attempts.map((attempt) => attempt.merchant_uid);
  const captures = world.gateway.captures.filter((record) => ids.includes(record.merchantUid)).length;
  expect({ subscription, captures: Math.min(captures, 2), paid: invoice.state === 'paid' }).toEqual(
    captures === 0 ? { subscription, captures: 0, paid: false } : { subscription, captures: 1, paid: true },
  );
  // What was not captured is still being looked after.
  if (captures === 0) expect(invoice.next_at).not.toBeNull();
  for (const attempt of invoice.attempts) {
    const posted = world.gateway.posts.filter((post) => post.merchantUid === attempt.merchant_uid).length;
    expect(posted).toBeLessThanOrEqual(attempt.send_count);
  }
}

function nameOf(at: number): string {
  return `dies at effect ${at}`;
}

/** Another process comes, leases end by the clock, and the ladder of look-ups goes its way for an hour. */
async function recover(): Promise<void> {
  for (const seconds of [0, 91, 5, 10, 30, 120, 300, 600, 1_200, 1_300]) {
    await world.advance({ seconds });
    await sweep(world.scheduler);
    await world.run();
  }
}
