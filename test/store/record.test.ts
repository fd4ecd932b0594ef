import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { collectingOf } from '../../src/billing/next-try.ts';
import type { ChargeOutcome } from '../../src/billing/outcome.ts';
import { transition } from '../../src/billing/transition.ts';
import { tick } from '../../src/scheduler/tick.ts';
import type { Ring } from '../../src/store/due.ts';
import { writeIntent } from '../../src/store/intent.ts';
import { type LeasedAttempt, lease } from '../../src/store/lease.ts';
import { record } from '../../src/store/record.ts';
import { lockRows } from '../support/row-lock.ts';
import { CHANNEL, FINGERPRINT, invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
let subscription: string;
let sender: LeasedAttempt;
beforeEach(async () => {
  world = await newWorld();
  subscription = await world.subscribe();
  sender = await sent();
});
afterEach(() => world.end());

/** An attempt whose intent is written, in the hands of whoever wrote it. */
async function sent(): Promise<LeasedAttempt> {
  const rings: Ring[] = [];
  await tick({ ...world.scheduler, ring: async (added) => void rings.push(...added) });
  const [first] = rings;
  const attempt = first === undefined ? null : await lease(world.database.db, first, 90);
  if (attempt === null) throw new Error('nothing was leased');
  const limits = {
    timeoutSeconds: 60,
    quarantineSeconds: 86_400,
    maxAmountMinor: null,
    needsAdoption: false,
    fingerprint: FINGERPRINT,
  };
  await writeIntent(world.database.db, attempt, limits);
  return { ...attempt, sendCount: 1, sentAt: world.now };
}

function settle(outcome: ChargeOutcome): Promise<boolean> {
  const standing = { ...sender, ...CHANNEL, timesNotSent: 0, sends: 1, collecting: collectingOf(sender, true) };
  const next = transition(standing, { kind: 'outcome', outcome }, sender.policy, world.now);
  return record(world.database.db, sender, next);
}

const paid = (): ChargeOutcome => ({
  kind: 'paid',
  record: {
    impUid: 'imps_000000000001',
    merchantUid: sender.merchantUid,
    status: 'paid',
    amount: sender.amount,
    cancelMinor: 0,
    customerUid: sender.billingKey.customerUid,
    sandbox: true,
    decline: null,
    startedAtMs: 1,
    paidAtMs: 1,
    failedAtMs: null,
    raw: {},
  },
});

async function told(): Promise<string[]> {
  const messages = await world.database.db.outbox.findMany({ orderBy: { id: 'asc' } });
  return messages.map(({ kind }) => kind);
}

test.each([
  ['outbox', "kind <> 'invoice.paid'"],
  ['invoice', "state <> 'paid'"],
  ['attempt', "state <> 'paid'"],
])(
  'a payment is recorded whole or not at all: where %s refuses its part, nothing of it stands',
  async (table, rule) => {
    const { db } = world.database;
    await db.$executeRawUnsafe(`ALTER TABLE ${table} ADD CONSTRAINT refused CHECK (${rule})`);
    await expect(settle(paid())).rejects.toThrow();
    expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'open', attempts: [{ state: 'sent' }] });
    expect(await told()).toEqual([]);
    await db.$executeRawUnsafe(`ALTER TABLE ${table} DROP CONSTRAINT refused`);
    expect(await settle(paid())).toBe(true);
    expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid', attempts: [{ state: 'paid' }] });
    expect(await told()).toEqual(['charge.succeeded', 'invoice.paid']);
  },
);

test.each(['subscription', 'invoice', 'attempt'])(
  'a payment that has to wait for its %s is recorded whole when it is its turn',
  async (table) => {
    const lock = await lockRows(world.database.url, `SELECT FROM ${table} FOR UPDATE`);
    const settling = settle(paid());
    await lock.waitedForBy(1);
    await lock.release();
    expect(await settling).toBe(true);
    expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'paid', attempts: [{ state: 'paid' }] });
    expect(await told()).toEqual(['charge.succeeded', 'invoice.paid']);
  },
);
