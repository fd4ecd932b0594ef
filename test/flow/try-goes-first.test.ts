import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseInvoiceId } from '../../src/billing/ids.ts';
import { orderIntervention } from '../../src/operator/intervene.ts';
import { tick } from '../../src/scheduler/tick.ts';
import { nextPeriodAt, readUpcoming } from '../../src/store/upcoming.ts';
import { dunned, GIVES_UP, SAID } from '../support/dunned.ts';
import { invoicesOf, newWorld, type World } from '../support/world.ts';

// What was given up is tried again just before the next period begins, 28 days after the first.

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

const { owing, deps, row, minutes } = dunned(() => world);

async function triedAgain(id: string): Promise<void> {
  const [given] = await invoicesOf(world, id);
  await orderIntervention(deps(), parseInvoiceId(given?.id ?? ''), 'retry', SAID);
}

test('while its try is rung and no worker has come, nothing new is drawn up', async () => {
  const id = await owing(GIVES_UP, 'decline');
  await world.advance({ days: 27, hours: 23, minutes: 59, seconds: 30 });
  await triedAgain(id);
  const away = { ...world.scheduler, ring: async () => undefined };
  await tick(away);
  await world.advance({ minutes: 1 });
  await tick(away);
  expect(await invoicesOf(world, id)).toHaveLength(1);
});

test.each([
  ['failed', 'unpaid', ['uncollectible']],
  ['paid', 'active', ['paid', 'paid']],
] as const)('nor while its fate is unknown, until that is %s', async (fate, status, states) => {
  const id = await owing(GIVES_UP, 'decline');
  await world.advance({ days: 27, hours: 20 });
  world.gateway.script(`card of ${id}`, 'lose');
  await triedAgain(id);
  await minutes(2);
  await world.advance({ hours: 6 });
  await minutes(2);
  const [given, ...others] = await invoicesOf(world, id);
  expect([given?.attempts.at(-1)?.state, others]).toEqual(['unknown', []]);
  world.gateway.land(given?.attempts.at(-1)?.merchant_uid ?? '', fate);
  await world.advance({ hours: 2 });
  await minutes(3);
  expect((await row(id)).status).toBe(status);
  expect((await invoicesOf(world, id)).map(({ state }) => state)).toEqual(states);
});

test('where periods pile up, they are charged as they fall due all the same', async () => {
  const id = await owing({ ...GIVES_UP, later: 'accumulate' }, 'decline');
  await world.advance({ days: 27, hours: 20 });
  world.gateway.script(`card of ${id}`, 'lose');
  await triedAgain(id);
  await minutes(2);
  await world.advance({ hours: 6 });
  await minutes(2);
  expect((await invoicesOf(world, id)).map(({ state }) => state)).toEqual(['retrying', 'paid']);
});

test('while it waits for days, a simulation has no tick to make for what waits behind it', async () => {
  const id = await owing(GIVES_UP, 'decline');
  await world.advance({ days: 27, hours: 20 });
  await triedAgain(id);
  const { db } = world.database;
  await db.$executeRaw`UPDATE billing_key SET hold_reason = 'blocked until next week'`; // as its card's cap would
  await minutes(2);
  await world.advance({ hours: 6 });
  await minutes(1);
  expect((await readUpcoming(db)).tick).toBeNull();
  expect((await nextPeriodAt(db))?.toISO()).toBe('2027-02-28T01:00:00.000Z'); // whose tick comes as soon as that has ended
  await db.$executeRaw`UPDATE billing_key SET hold_reason = NULL`;
  await minutes(20);
  expect((await invoicesOf(world, id)).map(({ state }) => state)).toEqual(['paid', 'paid']);
});

test('one that hooks put off minute by minute holds the next period up for ten of them', async () => {
  const id = await owing({ ...GIVES_UP, retryAfterDays: [28] }, 'decline');
  await world.advance({ days: 28 });
  const drawnUp: number[] = [];
  for (let minute = 0; minute < 12; minute += 1) {
    await tick({ ...world.scheduler, ring: async () => undefined });
    drawnUp.push((await invoicesOf(world, id)).length);
    await world.database.db.$executeRaw`
      UPDATE invoice SET next_at = maedal_now() + interval '1 minute', deferred_seconds = deferred_seconds + 60 WHERE state = 'retrying'`;
    await world.advance({ minutes: 1 });
  }
  expect(drawnUp).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2]);
});
