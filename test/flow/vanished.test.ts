import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseInvoiceId } from '../../src/billing/ids.ts';
import type { Intervention } from '../../src/billing/intervention.ts';
import { explainInvoice, renderExplanation } from '../../src/operator/explain.ts';
import { orderIntervention } from '../../src/operator/intervene.ts';
import { markPaid } from '../../src/operator/mark-paid.ts';
import { refundInvoice } from '../../src/operator/refund.ts';
import { lateWatch } from '../../src/scheduler/late-watch.ts';
import { refundDue } from '../../src/worker/refund.ts';
import { auditAtBoot, chargeSome } from '../support/audits.ts';
import { refundRow, wantRefund } from '../support/refunds.ts';
import { CHANNEL, FINGERPRINT, invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
let subscription: string;
let impUid: string;
/** Two payments that counted, of which the first is about to go. */
beforeEach(async () => {
  world = await newWorld();
  [subscription = ''] = await chargeSome(world, 2);
  impUid = (await invoice()).attempts[0]?.imp_uid ?? '';
});
afterEach(() => world.end());

const invoice = () => invoiceOf(world, subscription);
const SAID = { actor: 'cli:kim', reason: 'the bank took it back' };
const deps = () => ({ db: world.database.db, fingerprint: FINGERPRINT, channel: () => CHANNEL });
const order = async (what: Intervention) => orderIntervention(deps(), parseInvoiceId((await invoice()).id), what, SAID);
const own = () => ({ db: world.database.db, fingerprint: FINGERPRINT, needsAdoption: false });
const giveBack = async () =>
  refundInvoice(own(), parseInvoiceId((await invoice()).id), { amount: null, impUid: null, ...SAID });
const postsOf = () => world.gateway.posts.filter(({ customerUid }) => customerUid === `card of ${subscription}`);
const outbox = (kind: string) => world.database.db.outbox.count({ where: { kind } });
const seen = () => world.database.db.observation.findUniqueOrThrow({ where: { imp_uid: impUid } });

type How = 'failed' | 'unknown';

/** The gateway calls it failed, or does not know it any more. */
function goes(how: How): () => void {
  const at = world.gateway.records.findIndex((record) => record.impUid === impUid);
  const record = world.gateway.records[at];
  if (record === undefined) throw new Error('nothing was captured');
  const another = { impUid: 'imps_of_nobody', merchantUid: 'of nobody' };
  world.gateway.records[at] = { ...record, status: 'failed', ...(how === 'failed' ? {} : another) };
  return () => {
    world.gateway.records[at] = record;
  };
}

async function found(how: How): Promise<() => void> {
  const comesBack = goes(how);
  expect(await auditAtBoot(world)).toMatchObject({ counts: { missing: 1 } });
  await world.run();
  expect(await invoice()).toMatchObject({ state: 'review', attempts: [{ state: 'review' }] });
  return comesBack;
}

/** A day and more later, with what is due to be looked at. */
async function later(): Promise<void> {
  await world.advance({ days: 1, minutes: 1 });
  await lateWatch(world.scheduler);
  await world.run();
}

describe.each<How>(['failed', 'unknown'])('a payment that counted and is %s at the gateway by now', (how) => {
  test('is not charged again by itself, and once a person lets it go under the next id', async () => {
    await found(how);
    for (let day = 0; day < 3; day += 1) await later();
    expect(postsOf()).toHaveLength(1);
    expect(await order('release')).toBe('open');
    await world.run();
    expect(await invoice()).toMatchObject({
      state: 'paid',
      attempts: [{ state: 'canceled' }, { number: 2, state: 'paid' }],
    });
    expect(postsOf()).toHaveLength(2);
  });

  test('may be waived', async () => {
    await found(how);
    expect(await order('void')).toBe('void');
    await later();
    expect(postsOf()).toHaveLength(1);
    expect(await outbox('charge.doubled')).toBe(0);
  });

  test('has nothing to give back, which a person is told with the way out', async () => {
    await found(how);
    await expect(giveBack()).rejects.toMatchObject({ message: new RegExp(`${impUid} is not at the gateway any more`) });
  });

  test('pays its invoice again when it is seen again before anybody acted', async () => {
    const comesBack = await found(how);
    comesBack();
    await later();
    expect(await invoice()).toMatchObject({ state: 'paid', attempts: [{ state: 'paid', imp_uid: impUid }] });
    expect(await seen()).toMatchObject({ gone_at: null, accounted_as: 'settles' });
    expect(postsOf()).toHaveLength(1);
  });

  test('settles its invoice when it is seen again before what was let go is sent', async () => {
    const comesBack = await found(how);
    await world.advance({ days: 1, minutes: 1 });
    await order('release');
    comesBack();
    for (let pass = 0; pass < 3; pass += 1) await later();
    expect(await invoice()).toMatchObject({ state: 'paid' });
    expect(postsOf()).toHaveLength(1);
  });

  test.each([1, 20])('is put up for refund when it comes back %i days after the next id was paid', async (days) => {
    const comesBack = await found(how);
    await world.advance({ days: 1, minutes: 1 });
    await order('release');
    await world.run();
    expect(postsOf()).toHaveLength(2);
    for (let day = 0; day < days; day += 1) await later();
    comesBack();
    await later();
    expect(await outbox('charge.doubled')).toBe(1);
    expect(await world.database.db.refund.findMany()).toMatchObject([{ imp_uid: impUid, state: 'prepared' }]);
    expect((await invoice()).state).toBe('paid');
  });

  test('is put up for refund when it comes back after its invoice was waived', async () => {
    const comesBack = await found(how);
    await order('void');
    comesBack();
    await later();
    expect(await world.database.db.refund.findMany()).toMatchObject([{ imp_uid: impUid, state: 'prepared' }]);
  });

  test('may be counted by a person who names it once it is there again', async () => {
    const comesBack = await found(how);
    comesBack();
    const sandboxed = { ...deps(), gateway: world.gateway, sandbox: true };
    expect(await markPaid(sandboxed, parseInvoiceId((await invoice()).id), impUid, SAID)).toBe('paid');
    await later();
    expect(await invoice()).toMatchObject({ state: 'paid', attempts: [{ state: 'paid', imp_uid: impUid }] });
  });

  test('ends a refund of it, with an alarm, and puts its invoice before a person', async () => {
    const id = await wantRefund(world, subscription);
    goes(how);
    for (let look = 0; look < 4; look += 1) {
      await refundDue(world.refunder);
      await world.advance({ minutes: 10 });
    }
    expect(await refundRow(world, id)).toMatchObject({ state: 'failed', next_at: null });
    expect(await outbox('refund.failed')).toBe(1);
    await world.run();
    expect(await invoice()).toMatchObject({
      state: 'review',
      reason: expect.stringMatching(/is not at the gateway any more/),
    });
    expect(await outbox('invoice.needs_review')).toBe(1);
    await world.advance({ days: 1 });
    expect(await order('release')).toBe('open');
  });
});

test('look-ups that find nothing that is known end a refund at last, with an alarm, and call no payment gone', async () => {
  const id = await wantRefund(world, subscription);
  world.gateway.lookUps = 'absent';
  for (let look = 0; look < 39; look += 1) {
    await refundDue(world.refunder);
    await world.advance({ minutes: 11 });
  }
  expect(await refundRow(world, id)).toMatchObject({ state: 'prepared' });
  await refundDue(world.refunder);
  expect(await refundRow(world, id)).toMatchObject({
    state: 'failed',
    fail_reason: expect.stringMatching(/knows no such payment/),
  });
  expect(await outbox('refund.failed')).toBe(1);
  expect(await seen()).toMatchObject({ gone_at: null });
  expect(await invoice()).toMatchObject({ state: 'paid' });
});

test('a person is told that the payment went, since when, and what letting it go on means', async () => {
  await found('failed');
  const identity = { fingerprint: FINGERPRINT, needsAdoption: false };
  const told = renderExplanation(await explainInvoice(world.database.db, impUid, identity));
  expect(told).toMatch(new RegExp(`${impUid} is not at the gateway any more `));
  expect(told).toMatch(
    new RegExp(`Since ${world.now.toISO({ suppressMilliseconds: true })?.slice(0, 10)}.* it is not there any more`),
  );
  expect(told).toMatch(
    new RegExp(`${impUid} was paid, and is not at the gateway any more: released, it is charged again`),
  );
});

test('what is gone is no canary for anything else', async () => {
  expect((await world.worker.store.canaries('')).map((canary) => canary.impUid)).toContain(impUid);
  await found('failed');
  expect((await world.worker.store.canaries('')).map((canary) => canary.impUid)).not.toContain(impUid);
});
