import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { PaymentRecord } from '../../src/billing/charge.ts';
import { collectingOf } from '../../src/billing/next-try.ts';
import type { ChargeOutcome } from '../../src/billing/outcome.ts';
import { transition } from '../../src/billing/transition.ts';
import { tick } from '../../src/scheduler/tick.ts';
import { expireSends, type Ring, ring } from '../../src/store/due.ts';
import { type Intent, writeIntent } from '../../src/store/intent.ts';
import { type LeasedAttempt, lease } from '../../src/store/lease.ts';
import { observe } from '../../src/store/observations.ts';
import { record } from '../../src/store/record.ts';
import { runJob } from '../../src/worker/run-job.ts';
import { lockRows } from '../support/row-lock.ts';
import { CHANNEL, FINGERPRINT, invoiceOf, newWorld, type World } from '../support/world.ts';

const LIMITS = {
  timeoutSeconds: 60,
  quarantineSeconds: 86_400,
  maxAmountMinor: null,
  needsAdoption: false,
  fingerprint: FINGERPRINT,
};

let world: World;
let subscription: string;
beforeEach(async () => {
  world = await newWorld();
  subscription = await world.subscribe();
});
afterEach(() => world.end());

async function rung(): Promise<Ring> {
  const rings: Ring[] = [];
  await tick({ ...world.scheduler, ring: async (added) => void rings.push(...added) });
  const [first] = rings;
  if (first === undefined) throw new Error('nothing was rung');
  return first;
}

async function leased(from: Ring): Promise<LeasedAttempt> {
  const attempt = await lease(world.database.db, from, 90);
  if (attempt === null) throw new Error('nothing was leased');
  return attempt;
}

function intend(attempt: LeasedAttempt): Promise<Intent> {
  return writeIntent(world.database.db, attempt, LIMITS);
}

/** Records what the pure core makes of an outcome. */
function conclude(attempt: LeasedAttempt, outcome: ChargeOutcome): Promise<boolean> {
  const sends = attempt.sendCount - attempt.notSentCount;
  const standing = { ...attempt, ...CHANNEL, timesNotSent: 0, sends, collecting: collectingOf(attempt, true) };
  return record(
    world.database.db,
    attempt,
    transition(standing, { kind: 'outcome', outcome }, attempt.policy, world.now),
  );
}

function paymentOf(
  attempt: LeasedAttempt,
  status: PaymentRecord['status'],
  impUid = 'imps_000000000001',
): PaymentRecord {
  return {
    impUid,
    merchantUid: attempt.merchantUid,
    status,
    amount: attempt.amount,
    cancelMinor: 0,
    customerUid: attempt.billingKey.customerUid,
    sandbox: true,
    decline: status === 'failed' ? { class: 'funds', reason: '한도초과' } : null,
    startedAtMs: 1,
    paidAtMs: null,
    failedAtMs: null,
    raw: {},
  };
}

const again = { kind: 'not-sent', reason: 'refused' } as const;

test('a ring is worth one lease, also once the lease was given back', async () => {
  const once = await rung();
  const attempt = await leased(once);
  expect(await lease(world.database.db, once, 90)).toBeNull();
  await conclude(attempt, again);
  expect(await lease(world.database.db, once, 90)).toBeNull();
});

test('a bell rung again answers to whichever job comes first, and to one only', async () => {
  const old = await rung();
  await world.advance({ seconds: 120 });
  const [fresh] = await ring(world.database.db, 10, 120, world.now);
  expect(fresh).toEqual({ attemptId: old.attemptId, generation: old.generation + 1 });
  expect(await lease(world.database.db, old, 90)).not.toBeNull(); // it waited in a long queue
  expect(await lease(world.database.db, fresh ?? old, 90)).toBeNull();
});

test('of two workers who answer one ring at the same instant one gets the lease', async () => {
  const bell = await rung();
  const lock = await lockRows(world.database.url, 'SELECT FROM invoice FOR UPDATE');
  const both = Promise.all([lease(world.database.db, bell, 90), lease(world.database.db, bell, 90)]);
  await lock.waitedForBy(2);
  await lock.release();
  expect((await both).filter((attempt) => attempt !== null)).toHaveLength(1);
});

test('while a lease runs nobody else gets one, however often the bell is rung; it is due again when the lease ends', async () => {
  const attempt = await leased(await rung());
  expect((await invoiceOf(world, subscription)).next_at).toEqual(world.now.plus({ seconds: 90 }).toJSDate());
  await world.database.db.$executeRaw`UPDATE attempt SET rung_at = maedal_now(), generation = 7`;
  const bell = { attemptId: attempt.id, generation: 7 };
  expect(await lease(world.database.db, bell, 90)).toBeNull();
  await world.advance({ seconds: 90 });
  expect(await lease(world.database.db, bell, 90)).toMatchObject({ fence: attempt.fence + 1 });
});

test('whoever lost the lease to another writes no intent', async () => {
  const stale = await leased(await rung());
  await world.database.db.$executeRaw`UPDATE attempt SET fence = fence + 1`;
  expect(await intend(stale)).toEqual({ kind: 'refused', because: 'lost' });
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([{ state: 'prepared', send_count: 0 }]);
});

test('a send is watched for longer than the call may take, and only then called unknown', async () => {
  await intend(await leased(await rung()));
  expect((await invoiceOf(world, subscription)).next_at).toEqual(world.now.plus({ seconds: 90 }).toJSDate());
  await world.advance({ seconds: 89 });
  expect(await expireSends(world.database.db, 10)).toBe(0);
  await world.advance({ seconds: 1 });
  expect(await expireSends(world.database.db, 10)).toBe(1);
  const invoice = await invoiceOf(world, subscription);
  expect(invoice.attempts).toMatchObject([{ state: 'unknown' }]);
  expect(invoice.next_at).toEqual(world.now.toJSDate());
});

test('a late decline under an older lease is refused, a late payment is recorded', async () => {
  const sender = await leased(await rung());
  await intend(sender);
  await world.advance({ seconds: 90 });
  await expireSends(world.database.db, 10); // the fence moved on
  const decline = { class: 'funds', reason: '한도초과' } as const;
  const declined = { kind: 'declined', decline, impUid: 'imps_000000000001', unanswered: 0 } as const;
  expect(await conclude(sender, declined)).toBe(false);
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([{ state: 'unknown' }]);
  const paid = { kind: 'paid', record: paymentOf(sender, 'paid') } as const;
  expect(await conclude(sender, paid)).toBe(true);
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid' });
});

test('what was recorded is not recorded again', async () => {
  const attempt = await leased(await rung());
  await intend(attempt);
  const paid = { kind: 'paid', record: paymentOf(attempt, 'paid') } as const;
  expect(await conclude(attempt, paid)).toBe(true);
  expect(await conclude(attempt, paid)).toBe(false);
  expect(await world.database.db.outbox.count({ where: { kind: 'invoice.paid' } })).toBe(1);
});

test('an observation goes forward only, whatever comes late', async () => {
  const attempt = await leased(await rung());
  const { db } = world.database;
  for (const status of ['failed', 'paid', 'failed', 'ready'] as const) {
    await observe(db, [paymentOf(attempt, status)], 'look_up');
  }
  expect(await db.observation.findMany()).toMatchObject([{ status: 'paid', attempt_id: attempt.id }]);
});

test('a payment that stands twice in one list, its pages having shifted meanwhile, counts as the furthest of the two', async () => {
  const attempt = await leased(await rung());
  const { db } = world.database;
  await observe(db, [paymentOf(attempt, 'paid'), paymentOf(attempt, 'failed')], 'look_up');
  expect(await db.observation.findMany()).toMatchObject([{ status: 'paid' }]);
});

test('records seen before the first send are known to every later lease; those seen after it are not among them', async () => {
  const { db } = world.database;
  const attempt = await leased(await rung());
  await observe(db, [paymentOf(attempt, 'failed', 'imps_before')], 'look_up');
  await world.advance({ seconds: 1 });
  await intend(attempt);
  await world.advance({ seconds: 1 });
  await observe(db, [paymentOf(attempt, 'failed', 'imps_after')], 'answer');
  await world.advance({ seconds: 100 });
  await expireSends(db, 10);
  const [bell] = await ring(db, 10, 120, world.now);
  expect(bell && (await lease(db, bell, 90))?.seenBefore).toEqual(['imps_before']);
});

test('a send that was proved unsent needs no answer: one failed record declines the next one', async () => {
  world.gateway.script(`card of ${subscription}`, 'refuse-connection', 'decline');
  await world.run();
  await world.advance({ minutes: 1 });
  await world.run();
  expect((await invoiceOf(world, subscription)).attempts).toMatchObject([
    { state: 'declined', send_count: 2, not_sent_count: 1 },
  ]);
});

test('every answer of the gateway is observed', async () => {
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  expect(await world.database.db.observation.findMany()).toMatchObject([{ status: 'failed', learnt_by: 'answer' }]);
});

test('an attempt that ended ten workers is for a person to look at', async () => {
  const bell = await rung();
  await world.database.db.$executeRaw`UPDATE attempt SET lease_count = 10`;
  await runJob(world.worker, bell);
  expect(await invoiceOf(world, subscription)).toMatchObject({
    state: 'review',
    reason: expect.stringMatching('never reported back'),
  });
  expect(world.gateway.posts).toHaveLength(0);
});

test('rows that another scheduler holds are passed over, not waited for', async () => {
  await rung();
  await world.advance({ seconds: 120 });
  const { db } = world.database;
  await db.$transaction(async (other) => {
    await other.$queryRaw`SELECT id FROM invoice FOR UPDATE`;
    expect(await ring(db, 10, 120, world.now)).toEqual([]);
  });
  expect(await ring(db, 10, 120, world.now)).toHaveLength(1);
});
