import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { BillingEvent } from '../../src/events.ts';
import { startLoop } from '../../src/scheduler/loop.ts';
import { tick } from '../../src/scheduler/tick.ts';
import { adoptDatabase } from '../../src/store/control.ts';
import type { Ring } from '../../src/store/due.ts';
import { readFence } from '../../src/store/fence.ts';
import { runFencedJob } from '../../src/worker/fenced-job.ts';
import { handClock } from '../gateway/hand-clock.ts';
import { FINGERPRINT, invoiceOf, newWorld, type World } from '../support/world.ts';

const OURS = { fingerprint: FINGERPRINT, needsAdoption: false };

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

const fence = () => readFence(world.database.db, OURS);
const setMark = (mark: string) => world.database.db.$executeRaw`UPDATE control SET fingerprint = ${mark}`;

test('a scheduler on another installation’s database draws up, audits and sweeps nothing until it is adopted', async () => {
  await world.subscribe();
  await setMark('another');
  const clock = handClock();
  const waiting = new Map<BillingEvent['kind'], () => void>();
  const told: BillingEvent[] = [];
  const next = (kind: BillingEvent['kind']) => new Promise<void>((resolve) => waiting.set(kind, resolve));
  const report = (event: BillingEvent) => {
    told.push(event);
    waiting.get(event.kind)?.();
  };
  const closed = next('fence.closed');
  const loop = startLoop(
    {
      passes: { ...world.scheduler, clock, report },
      audits: { ...world.audits, clock, report },
      clocks: { watchClock: async () => null, report },
      fence,
    },
    { schedule: '* * * * *', timezone: 'UTC' },
  );
  await closed;
  expect(await world.database.db.invoice.count()).toBe(0);
  await adoptDatabase(world.database.db, OURS, { actor: 'me', reason: 'moved' });
  const ticked = next('tick.finished');
  const again = async (): Promise<void> => {
    clock.advance(5_000);
    if (!told.some(({ kind }) => kind === 'tick.finished')) await Promise.race([ticked, fence().then(again)]);
  };
  await again();
  await loop.close();
  expect(await world.database.db.invoice.count()).toBe(1);
  expect(told.filter(({ kind }) => kind === 'fence.closed').length).toBeLessThanOrEqual(6); // one for each pass
});

test('a worker on another installation’s database takes no attempt into its hands', async () => {
  const subscription = await world.subscribe();
  const rings: Ring[] = [];
  await tick({ ...world.scheduler, ring: async (added) => void rings.push(...added) });
  await setMark('another');
  for (const ring of rings) await runFencedJob({ ...world.worker, fence }, ring);
  expect(world.gateway.posts).toHaveLength(0);
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([{ state: 'prepared', fence: 0 }]);
  await setMark(FINGERPRINT);
  for (const ring of rings) await runFencedJob({ ...world.worker, fence }, ring); // the ring was not used up
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('one that was taken over between look and intent sends nothing', async () => {
  const subscription = await world.subscribe();
  const { ready } = world.gateway;
  world.gateway.ready = async (options) => {
    await setMark('another');
    return ready.call(world.gateway, options);
  };
  await world.run();
  expect(world.gateway.posts).toHaveLength(0);
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([
    { fail_reason: expect.stringMatching(/another installation/) },
  ]);
});

test('a database that nobody adopted is said to be so, and not to be another’s', async () => {
  const subscription = await world.subscribe();
  await world.database.db.$executeRaw`UPDATE control SET fingerprint = NULL`;
  Object.assign(world, { worker: { ...world.worker, needsAdoption: true } });
  await world.run();
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([
    { fail_reason: expect.stringMatching(/not adopted/) },
  ]);
});
