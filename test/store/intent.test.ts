import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { tick } from '../../src/scheduler/tick.ts';
import type { Ring } from '../../src/store/due.ts';
import { takeBackIntent, writeIntent } from '../../src/store/intent.ts';
import { type LeasedAttempt, lease } from '../../src/store/lease.ts';
import { FINGERPRINT, invoiceOf, newWorld, type World } from '../support/world.ts';

const DAY = 86_400;

let world: World;
let subscription: string;
beforeEach(async () => {
  world = await newWorld();
  subscription = await world.subscribe();
});
afterEach(() => world.end());

/** What a worker holds that has just answered the bell. */
async function leased(): Promise<LeasedAttempt> {
  const rings: Ring[] = [];
  await tick({ ...world.scheduler, ring: async (added) => void rings.push(...added) });
  const [first] = rings;
  const attempt = first === undefined ? null : await lease(world.database.db, first, 90);
  if (attempt === null) throw new Error('nothing was leased');
  return attempt;
}

function intend(attempt: LeasedAttempt, quarantineSeconds = DAY) {
  const limits = { timeoutSeconds: 60, maxAmountMinor: null, needsAdoption: false, fingerprint: FINGERPRINT };
  return writeIntent(world.database.db, attempt, { ...limits, quarantineSeconds });
}

test('while a send of another attempt that nothing answered may still land, the intent itself refuses; then no more', async () => {
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  const sentAt = world.now;
  await world.database.db.$executeRaw`UPDATE attempt SET unanswered_at = sent_at`;
  await world.advance({ days: 1 });
  const second = await leased();
  expect(second.number).toBe(2);
  const until = sentAt.plus({ seconds: 2 * DAY }).toJSDate();
  expect(await intend(second, 2 * DAY)).toEqual({ kind: 'refused', because: 'quarantined', until });
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([{}, { state: 'prepared', send_count: 0 }]);
  expect(await intend(second, DAY)).toMatchObject({ kind: 'sent' });
});

test('an intent is taken back under the lease that wrote it, and under no older one', async () => {
  const { db } = world.database;
  const older = await leased();
  await intend(older);
  await db.$executeRaw`UPDATE attempt SET fence = fence + 1`;
  expect(await takeBackIntent(db, older, 90, 'the token was refused')).toBeNull();
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([{ state: 'sent', not_sent_count: 0 }]);
  const holder = { ...older, fence: older.fence + 1 };
  expect(await takeBackIntent(db, holder, 90, 'the token was refused')).toMatchObject({ notSentCount: 1 });
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([{ state: 'prepared', not_sent_count: 1 }]);
});

test('sends on their way do not hide that the last ones had no answer', async () => {
  world.gateway.script(`card of ${subscription}`, 'lose');
  await world.run();
  await world.advance({ minutes: 1 });
  await world.subscribe();
  expect(await intend(await leased())).toMatchObject({ kind: 'sent' });
  expect(await world.worker.store.recentSends(1)).toEqual({ sends: 1, unknown: 1 });
});
