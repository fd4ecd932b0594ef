import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { hookThreads } from '../../src/app/hook-threads.ts';
import type { HookThreads } from '../../src/hooks/hook-threads.ts';
import { bound } from '../../src/store/charge-store.ts';
import { keepAnswer, readBefore } from '../../src/store/hook-answers.ts';
import { file, newDir } from '../config/temporary.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

/** One hook, which does by each subscription what its id says. */
const CONFIG = `
const deeds = {
  proceeds: () => ({ kind: 'proceed' }),
  adjusts: ({ subscription }) => ({ kind: 'adjust', amount: subscription.amount / 2 }),
  skips: () => ({ kind: 'skip', reason: 'on vacation' }),
  defers: ({ now }) => ({ kind: 'defer', until: new Date(Date.parse(now) + 3_600_000) }),
  holds: () => ({ kind: 'hold', reason: 'ask first' }),
  babbles: () => 'ok',
  floods: () => ({ kind: 'skip', reason: 'x'.repeat(10_000_000) }),
  sleeps: () => new Promise(() => undefined),
  exits: () => process.exit(0),
  spins: () => { for (;;); },
};
export default {
  hooks: { beforeCharge: [{ name: 'gate', run: (context) => deeds[context.subscription.id](context) }] },
};
`;

let world: World;
let threads: HookThreads;

beforeEach(async () => {
  world = await newWorld();
  const directory = newDir();
  file(directory, 'maedal.config.ts', CONFIG);
  threads = hookThreads({ configFile: join(directory, 'maedal.config.ts'), report: () => undefined });
  const before = {
    hooks: [{ name: 'gate', timeoutMs: 2_000, onError: 'block' }],
    ask: ({ name }: { name: string }, key: string, payload: string, timeoutMs: number) =>
      threads.call({ point: 'beforeCharge', name, key, payload, timeoutMs }),
    read: bound(world.database.db, readBefore),
    keep: bound(world.database.db, keepAnswer),
    ceilings: {},
    channel: (name: string) => ({ name, pg: null, mode: 'test' }),
  };
  Object.assign(world.worker, { before });
});

afterEach(async () => {
  await threads.close();
  await world.end();
});

async function bill(...ids: readonly string[]): Promise<void> {
  for (const externalId of ids) await world.subscribe({ externalId });
  await world.run();
  await world.advance({ seconds: 5 }); // whoever shared a thread with one that ended is asked again
  await world.run();
}

test('each answer of a hook goes from its thread to the charge', async () => {
  await bill('proceeds', 'adjusts', 'skips', 'defers', 'holds');
  expect(await invoiceOf(world, 'proceeds')).toMatchObject({ state: 'paid', amount: 9_900n });
  expect(await invoiceOf(world, 'adjusts')).toMatchObject({ state: 'paid', amount: 4_950n, price: 9_900n });
  expect(await invoiceOf(world, 'skips')).toMatchObject({ state: 'waived', reason: 'hook gate: on vacation' });
  expect(await invoiceOf(world, 'defers')).toMatchObject({ state: 'open', next_at: new Date('2027-01-31T02:00:00Z') });
  expect(await invoiceOf(world, 'holds')).toMatchObject({ state: 'held', reason: 'hook gate: ask first' });
  expect(world.gateway.posts.map(({ amount }) => amount.minor).toSorted()).toEqual([4_950, 9_900]);
});

test.each<[deed: string, reason: string, timeoutMs?: number]>([
  ['babbles', 'its answer is none'],
  ['floods', 'its answer has 10000027 bytes of JSON: at most 65536'],
  ['sleeps', 'it did not answer within 2000 ms'],
  ['exits', 'its thread ended', 30_000],
  ['spins', 'it did not answer within 2000 ms, and let nothing else run'],
])('a hook that %s costs its own charge, and no neighbour one', async (deed, reason, timeoutMs = 2_000) => {
  Object.assign(world.worker.before?.hooks[0] ?? {}, { timeoutMs });
  await bill(deed, 'proceeds');
  expect(await invoiceOf(world, deed)).toMatchObject({ state: 'held', reason: expect.stringContaining(reason) });
  expect(await invoiceOf(world, 'proceeds')).toMatchObject({ state: 'paid' });
  expect(world.gateway.posts).toHaveLength(1);
});
