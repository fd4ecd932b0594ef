import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ListedSchedule } from '../../src/billing/charge.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

// Before the first charge of a card: is the gateway to charge it by itself? Audits ask that of all cards, and this one is new.

let world: World;
let subscription: string;
beforeEach(async () => {
  world = await newWorld();
  subscription = await world.subscribe();
});
afterEach(() => world.end());

function book(changes: Partial<ListedSchedule> = {}): void {
  const scheduleAtMs = world.now.plus({ days: 3 }).toMillis();
  const booked = { merchantUid: 'old-shop-1', customerUid: `card of ${subscription}`, scheduleAtMs, isPending: true };
  world.gateway.booked.push({ ...booked, ...changes });
}

/** The list of one card answers so, in the place of its entries. */
function answerForOneCard(kind: 'unclear' | 'of another'): void {
  const { schedules } = world.gateway;
  world.gateway.schedules = async (window, take) => {
    if (window.customerUid === undefined) return schedules.call(world.gateway, window, take);
    if (kind === 'unclear') return { kind, reason: 'answered with HTTP 404' };
    await take([{ merchantUid: 'theirs', customerUid: 'another card', scheduleAtMs: 1, isPending: true }]);
    return { kind: 'whole', count: 1 };
  };
}

const whyNot = async () => (await invoiceOf(world, subscription)).attempts[0]?.fail_reason ?? '';

async function goes(): Promise<boolean> {
  await world.advance({ minutes: 1 });
  await world.run();
  return world.gateway.posts.length > 0;
}

test('it is not charged until that is revoked there, and says what it waits for', async () => {
  book();
  expect(await goes()).toBe(false);
  expect(await whyNot()).toContain('at 2027-02-03T01:00:00Z (old-shop-1)');
  world.gateway.booked.length = 0;
  expect(await goes()).toBe(true);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid', failures: 0 });
});

test('what was revoked, or is of another card, bars no charge', async () => {
  book({ isPending: false });
  book({ customerUid: 'another card' });
  expect(await goes()).toBe(true);
});

test('while nobody can see whether the gateway charges it by itself, its first charge waits', async () => {
  world.gateway.lists = 'unclear';
  expect(await goes()).toBe(false);
  expect(await whyNot()).toContain('cannot see whether the gateway charges this card by itself');
  world.gateway.lists = 'truthful';
  expect(await goes()).toBe(true);
});

test.each(['unclear', 'of another'] as const)('where its own list is %s, that of all cards decides', async (kind) => {
  answerForOneCard(kind);
  book();
  expect(await goes()).toBe(false);
  expect(await whyNot()).toContain('old-shop-1');
  world.gateway.booked.length = 0;
  expect(await goes()).toBe(true);
});

test('where all were listed since it came, they are not listed again for it', async () => {
  answerForOneCard('unclear');
  world.gateway.lists = 'unclear';
  await world.database.db.$executeRaw`UPDATE billing_key SET created_at = maedal_now() - interval '4 minutes'`;
  await world.database.db.$executeRaw`UPDATE control SET schedules_read_at = maedal_now()`;
  expect(await goes()).toBe(false); // an import may have begun before
  await world.advance({ minutes: 2 });
  await world.database.db.$executeRaw`UPDATE control SET schedules_read_at = maedal_now()`;
  expect(await goes()).toBe(true);
});

test('what its own list showed before it broke off bars the charge, whatever was listed since it came', async () => {
  book();
  const { schedules } = world.gateway;
  world.gateway.schedules = async (window, take) => {
    await schedules.call(world.gateway, window, take);
    return { kind: 'unclear', reason: 'broke off' };
  };
  await world.database.db.$executeRaw`UPDATE billing_key SET created_at = maedal_now() - interval '9 minutes'`;
  await world.database.db.$executeRaw`UPDATE control SET schedules_read_at = maedal_now()`;
  expect(await goes()).toBe(false);
  expect(await whyNot()).toContain('old-shop-1');
});

test('what was listed days ago says nothing about it', async () => {
  answerForOneCard('unclear');
  world.gateway.lists = 'unclear';
  await world.database.db.$executeRaw`UPDATE billing_key SET created_at = maedal_now() - interval '9 days'`;
  await world.database.db.$executeRaw`UPDATE control SET schedules_read_at = maedal_now() - interval '25 hours'`;
  expect(await goes()).toBe(false);
});

test('a card that an audit holds says what for, and what ends it', async () => {
  const held = 'the gateway charges this card by itself at 2027-02-03T01:00:00Z (old-shop-1)';
  await world.database.db.$executeRaw`UPDATE billing_key SET sandbox = true, hold_reason = ${held}`;
  expect(await goes()).toBe(false);
  expect(await whyNot()).toBe(`${held}: revoke that there, then run \`maedal reconcile\``);
});

test('a gateway that takes longer than half a lease to say so is asked again, and nothing is sent', async () => {
  let nowMs = 0;
  Object.assign(world.worker, { clock: { ...world.worker.clock, monotonicMs: () => nowMs } });
  const { schedules } = world.gateway;
  world.gateway.schedules = (...args: Parameters<typeof schedules>) => {
    nowMs += 46_000;
    return schedules.apply(world.gateway, args);
  };
  expect(await goes()).toBe(false);
  expect(await whyNot()).toContain('takes too long');
  expect(await goes()).toBe(true); // its answer was kept
});
