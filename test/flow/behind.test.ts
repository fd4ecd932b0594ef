import { afterEach, expect, test } from '@jest/globals';
import { startLoop } from '../../src/scheduler/loop.ts';
import { type HandClock, handClock } from '../gateway/hand-clock.ts';
import { invoicesOf, newWorld, type World } from '../support/world.ts';

let world: World;
afterEach(() => world.end());

/** Ticks by a schedule of once a day, whose clock goes on with the database's. */
function startDaily(clock: HandClock) {
  const waiting: ((drawnUp: number) => void)[] = [];
  const passes: typeof world.scheduler = {
    ...world.scheduler,
    clock,
    ring: async () => undefined,
    report: (event) => {
      if (event.kind === 'tick.finished') waiting.shift()?.(event.drawnUp);
    },
  };
  const clocks = { watchClock: async () => null, report: () => undefined };
  const fence = async () => ({ kind: 'open' }) as const;
  const audits = { ...world.audits, clock };
  const ticked = () => new Promise<number>((resolve) => waiting.push(resolve));
  const first = ticked();
  const loop = startLoop({ passes, audits, clocks, fence }, { schedule: '0 10 * * *', timezone: 'Asia/Seoul' });
  return { first, ticked, close: () => loop.close() };
}

test('what a daily tick leaves is drawn up within minutes, so that nobody stays a period behind', async () => {
  world = await newWorld('latest');
  const subscription = await world.subscribe({ interval: 'day' });
  await world.advance({ days: 2 });
  const clock = handClock();
  clock.advance(2 * DAY_MS);
  const loop = startDaily(clock);
  const drawn = [await loop.first];
  for (let minute = 0; minute < 2; minute += 1) {
    const next = loop.ticked();
    await world.advance({ minutes: 1 });
    await passing(clock, next);
    drawn.push(await next);
  }
  await loop.close();
  expect(drawn).toEqual([1, 1, 1]);
  const invoices = await invoicesOf(world, subscription);
  expect(invoices.map(({ state, reason }) => [state, reason])).toEqual([
    ['held', 'catch_up'],
    ['held', 'catch_up'],
    ['open', null],
  ]);
  const told = await world.database.db.outbox.findMany({ where: { kind: 'invoice.held' } });
  expect(told.map(({ payload }) => payload)).toEqual(
    invoices.slice(0, 2).map(({ id }) => ({ invoice_id: id, reason: 'catch_up' })),
  );
});

test('what is to follow its subscription does so within minutes, however far away the next tick is', async () => {
  world = await newWorld('latest');
  const subscription = await world.subscribe({ interval: 'day' });
  const clock = handClock();
  const loop = startDaily(clock);
  await loop.first;
  let ticks = 0;
  void loop.ticked().then(() => {
    ticks += 1;
  });
  const { db } = world.database;
  await db.$executeRaw`UPDATE subscription SET status = 'paused' WHERE external_id = ${subscription}`; // and then killed
  for (let minutes = 0; (await db.invoice.count({ where: { state: 'held' } })) === 0; minutes += 1) {
    if (minutes === 120) break;
    clock.advance(60_000);
  }
  await loop.close();
  expect(await invoicesOf(world, subscription)).toMatchObject([{ state: 'held', reason: 'subscription_stopped' }]);
  expect(ticks).toBe(0);
});

/** A minute by the hand clock, as often as it takes until the loop, which asks the database first, waits for it. */
async function passing(clock: HandClock, next: Promise<unknown>): Promise<void> {
  let isOver = false;
  void next.then(() => {
    isOver = true;
  });
  while (!isOver) {
    clock.advance(60_000);
    await world.database.db.$executeRaw`SELECT`;
  }
}

const DAY_MS = 86_400_000;
