import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { accountCaptures } from '../../src/scheduler/account-captures.ts';
import { lateWatch } from '../../src/scheduler/late-watch.ts';
import { refundDue } from '../../src/worker/refund.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
let subscription: string;
beforeEach(async () => {
  world = await newWorld();
  subscription = await world.subscribe();
});
afterEach(() => world.end());

const invoice = () => invoiceOf(world, subscription);
const uid = async (index = 0) => (await invoice()).attempts[index]?.merchant_uid ?? '';
const refunds = () => world.database.db.refund.findMany();
const told = () => world.events.flatMap((event) => (event.kind === 'capture.accounted' ? [event.as] : []));
const outbox = async (kind: string) => world.database.db.outbox.count({ where: { kind } });

/** A day and a minute later: what was sent last lies behind its quarantine. */
async function watch(): Promise<void> {
  await world.advance({ days: 1, minutes: 1 });
  await lateWatch(world.scheduler);
  await accountCaptures(world.scheduler);
}

/** Declines to the end of the ladder. */
async function givenUp(how: 'decline' | 'refuse' = 'decline'): Promise<void> {
  world.gateway.script(`card of ${subscription}`, how, how, how, how);
  for (let day = 0; day < 7; day += 1) {
    await world.run();
    await world.advance({ days: 1 });
  }
  const { state, last_attempt_at: lastAt, watch_at: watchAt } = await invoice();
  expect(state).toBe('uncollectible');
  expect(watchAt?.getTime()).toBe((lastAt?.getTime() ?? 0) + 86_400_000);
}

test('a decline that turned paid after its invoice was given up reopens it as paid, with an alarm', async () => {
  await givenUp();
  world.gateway.land(await uid(2), 'paid');
  await watch();
  expect(await invoice()).toMatchObject({ state: 'paid', reason: null });
  expect((await invoice()).attempts.map(({ state }) => state)).toEqual(['declined', 'declined', 'paid', 'declined']);
  expect(told()).toEqual(['settled']);
  expect(await outbox('charge.captured_late')).toBe(1);
  expect(await world.database.db.subscription.findFirst()).toMatchObject({ status: 'active' });
});

test('one that turned paid after its invoice became void is put up for refund', async () => {
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  await world.database.db
    .$executeRaw`UPDATE subscription SET status = 'canceled', canceled_at = maedal_now(), next_due_at = NULL`;
  await world.advance({ days: 1 });
  await world.run();
  expect(await invoice()).toMatchObject({ state: 'void', watch_at: world.now.plus({ days: 1 }).toJSDate() });
  world.gateway.land(await uid(), 'paid');
  await watch();
  expect(await invoice()).toMatchObject({ state: 'void', watch_at: null });
  expect(await refunds()).toMatchObject([
    { state: 'prepared', next_at: null, reason: expect.stringMatching(/the invoice is void/) },
  ]);
  expect(told()).toEqual(['doubled']);
});

/** Lost, proved absent, sent again and paid: the first send may still land. */
async function sentTwice(): Promise<void> {
  await world.subscribe({ externalId: 'canary' });
  world.gateway.script(`card of ${subscription}`, 'lose');
  for (let minutes = 0; minutes <= 90; minutes += 5) {
    await world.run();
    await world.advance({ minutes: 5 });
  }
  expect((await invoice()).attempts).toMatchObject([{ state: 'paid', send_count: 2 }]);
}

test('a second capture of a paid invoice that lands late is put up for refund, and the first one stays', async () => {
  await sentTwice();
  const late = world.gateway.captureAgain(await uid());
  await watch();
  expect(await refunds()).toMatchObject([{ imp_uid: late.impUid, state: 'prepared', next_at: null, amount: 9_900n }]);
  expect(told()).toEqual(['doubled']);
  expect(await outbox('charge.doubled')).toBe(1);
  expect(await invoice()).toMatchObject({ state: 'paid', watch_at: null });
  expect(await refundDue(world.refunder)).toBe(0);
});

test("with refundDuplicates: 'auto' it is given back, and the first one stays", async () => {
  Object.assign(world, { scheduler: { ...world.scheduler, refundDuplicates: 'auto' } });
  await sentTwice();
  const late = world.gateway.captureAgain(await uid());
  await watch();
  expect(await refundDue(world.refunder)).toBe(1);
  await accountCaptures(world.scheduler);
  expect(await refunds()).toMatchObject([{ imp_uid: late.impUid, state: 'done' }]);
  expect(world.gateway.captures.filter(({ merchantUid }) => merchantUid === late.merchantUid)).toHaveLength(1);
  expect(await invoice()).toMatchObject({ state: 'paid' });
});

test('what somebody left of a second capture is given back, and the payment that counts stays', async () => {
  Object.assign(world, { scheduler: { ...world.scheduler, refundDuplicates: 'auto' } });
  await sentTwice();
  const { impUid } = world.gateway.captureAgain(await uid());
  const won = (minor: number) => ({ minor, currency: 'KRW' });
  world.gateway.giveBack({ impUid, amount: won(900), checksum: won(9_900) });
  await watch();
  expect(await refundDue(world.refunder)).toBe(1);
  const [rest, ...others] = (await refunds()).filter(({ requested_by }) => requested_by !== 'elsewhere');
  expect(rest).toMatchObject({ imp_uid: impUid, state: 'done', amount: 9_000n, checksum: 9_000n });
  expect(others).toEqual([]);
  expect(await invoice()).toMatchObject({ state: 'paid' });
});

test('when everything is answered clearly the watch ends, and nothing is looked up any more', async () => {
  await givenUp();
  await watch();
  expect(await invoice()).toMatchObject({ state: 'uncollectible', watch_at: null });
  await world.advance({ days: 30 });
  expect(await lateWatch(world.scheduler)).toBe(0);
});

test('told to stop, it looks nothing up any more', async () => {
  await givenUp();
  await world.advance({ days: 1 });
  const stopping = new AbortController();
  stopping.abort();
  expect(await lateWatch(world.scheduler, stopping.signal)).toBe(0);
  expect((await invoice()).watch_at?.getTime()).toBeLessThan(world.now.toMillis());
});

test('every id that was ever sent is looked up, not only the last one', async () => {
  await givenUp();
  const asked: string[] = [];
  const { lookUp } = world.gateway;
  world.gateway.lookUp = async (merchantUid) => {
    asked.push(merchantUid);
    return lookUp.call(world.gateway, merchantUid);
  };
  await watch();
  expect(asked).toEqual((await invoice()).attempts.map((attempt) => attempt.merchant_uid));
});

test('while look-ups have no clear answer the watch goes on every few minutes', async () => {
  await givenUp();
  world.gateway.lookUps = 'unclear';
  await watch();
  expect((await invoice()).watch_at).toEqual(world.now.plus({ minutes: 5 }).toJSDate());
  world.gateway.lookUps = 'truthful';
  await world.advance({ minutes: 5 });
  expect(await lateWatch(world.scheduler)).toBe(1);
  expect(await invoice()).toMatchObject({ watch_at: null });
});

test('what was shown before and is not found is watched on, daily', async () => {
  await givenUp();
  world.gateway.lookUps = 'absent';
  for (let days = 0; days < 3; days += 1) {
    await watch();
    const { watch_at: again } = await invoice();
    expect(again?.getTime()).toBeGreaterThan(world.now.plus({ minutes: 5 }).toMillis());
    expect(again?.getTime()).toBeLessThanOrEqual(world.now.plus({ days: 1 }).toMillis());
  }
  world.gateway.lookUps = 'truthful';
  await watch();
  expect(await invoice()).toMatchObject({ watch_at: null });
});

test('a charge that no look-up ever showed is watched on, until a payment that is known to be paid is found beside it', async () => {
  await world.subscribe({ externalId: 'canary' });
  await givenUp('refuse');
  world.gateway.lookUps = 'absent'; // another account's answers
  await watch();
  expect((await invoice()).watch_at?.getTime()).toBeGreaterThan(world.now.plus({ minutes: 5 }).toMillis());
  world.gateway.lookUps = 'truthful';
  await watch();
  expect(await invoice()).toMatchObject({ state: 'uncollectible', watch_at: null });
});

test('what was sent once, proved absent and then withdrawn is watched as well: it may still land', async () => {
  await world.subscribe({ externalId: 'canary' });
  world.gateway.script(`card of ${subscription}`, 'lose');
  await world.run();
  for (let tries = 0; (await invoice()).attempts[0]?.state !== 'prepared'; tries += 1) {
    if (tries > 20) throw new Error('it was never proved absent');
    await world.advance({ minutes: 30 });
    await world.run();
  }
  await world.database.db
    .$executeRaw`UPDATE subscription SET status = 'canceled', canceled_at = maedal_now(), next_due_at = NULL`;
  await world.advance({ minutes: 5 });
  await world.run();
  expect(await invoice()).toMatchObject({ state: 'void', watch_at: world.now.plus({ days: 1 }).toJSDate() });
});

test('what is pending at the gateway is watched daily until it is decided', async () => {
  await givenUp();
  world.gateway.land(await uid(1), 'ready');
  await watch();
  const { watch_at: next } = await invoice();
  expect(next?.getTime()).toBeGreaterThan(world.now.plus({ hours: 1 }).toMillis());
  expect(next?.getTime()).toBeLessThanOrEqual(world.now.plus({ days: 1 }).toMillis());
  world.gateway.land(await uid(1), 'paid');
  await watch();
  expect(await invoice()).toMatchObject({ state: 'paid' });
});

test('a process that dies between claim and look-up costs minutes: the watch is due again', async () => {
  await givenUp();
  world.gateway.land(await uid(0), 'paid');
  await world.advance({ days: 1 });
  await world.scheduler.store.claimWatched(10);
  expect(await lateWatch(world.scheduler)).toBe(0);
  await world.advance({ minutes: 5 });
  expect(await lateWatch(world.scheduler)).toBe(1);
  await accountCaptures(world.scheduler);
  expect(await invoice()).toMatchObject({ state: 'paid' });
});

test('a watch that something else began meanwhile is not ended by an older one', async () => {
  await givenUp();
  await world.advance({ days: 1 });
  const [watched] = await world.scheduler.store.claimWatched(10);
  if (watched === undefined) throw new Error('nothing was claimed');
  const later = world.now.plus({ days: 1 }).toJSDate();
  await world.database.db.$executeRaw`UPDATE invoice SET watch_at = ${later}`;
  await world.scheduler.store.watchOn(watched, null);
  expect(await invoice()).toMatchObject({ watch_at: later });
});

test('eight schedulers beside each other look each invoice up once, however many there are', async () => {
  for (let index = 0; index < 45; index += 1) await world.subscribe();
  await world.run();
  await world.database.db.$executeRaw`UPDATE invoice SET watch_at = maedal_now()`;
  const looked = await Promise.all(Array.from({ length: 8 }, () => lateWatch(world.scheduler)));
  expect(looked.reduce((sum, count) => sum + count, 0)).toBe(46);
  expect(await world.database.db.invoice.count({ where: { watch_at: { not: null } } })).toBe(0);
});
