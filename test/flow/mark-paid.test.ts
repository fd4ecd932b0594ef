import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseInvoiceId } from '../../src/billing/ids.ts';
import type { Change } from '../../src/billing/intervention.ts';
import { markPaid } from '../../src/operator/mark-paid.ts';
import { accountCaptures } from '../../src/scheduler/account-captures.ts';
import { lateWatch } from '../../src/scheduler/late-watch.ts';
import { findForIntervention, intervene } from '../../src/store/interventions.ts';
import { lockRows } from '../support/row-lock.ts';
import { CHANNEL, FINGERPRINT, invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
let subscription: string;
beforeEach(async () => {
  world = await newWorld();
  subscription = await world.subscribe();
});
afterEach(() => world.end());

const said = { actor: 'kim@host', reason: 'paid at the counter' };
const invoice = (of = subscription) => invoiceOf(world, of);
const status = async () =>
  (await world.database.db.subscription.findUniqueOrThrow({ where: { external_id: subscription } })).status;

async function mark(impUid: string, of = subscription) {
  const deps = {
    db: world.database.db,
    gateway: world.gateway,
    fingerprint: FINGERPRINT,
    channel: () => ({ ...CHANNEL, declinesAreFinal: true }),
    sandbox: true,
  };
  return markPaid(deps, parseInvoiceId((await invoice(of)).id), impUid, said);
}

/** A payment that maedal did not ask for: by the shop's own window. */
async function paidElsewhere(minor = 9_900): Promise<string> {
  const request = {
    merchantUid: `shop-${world.gateway.posts.length}`,
    customerUid: 'another card',
    amount: { minor, currency: 'KRW' },
    ...{
      taxFreeMinor: 0,
      vatMinor: null,
      name: 'x',
      buyerName: null,
      buyerEmail: null,
      buyerTel: null,
      customData: '{}',
    },
  };
  const answer = await world.gateway.charge(Object.assign({}, world.gateway.posts[0], request));
  if (answer.kind !== 'paid') throw new Error(`it is ${answer.kind}`);
  return answer.record.impUid;
}

const declineAll = () => world.gateway.script(`card of ${subscription}`, 'decline', 'decline', 'decline', 'decline');

test('a declined invoice is paid by what the shop took itself: nothing more is charged, and nothing is owed', async () => {
  declineAll();
  await world.run();
  expect(await status()).toBe('past_due');
  const impUid = await paidElsewhere();
  expect(await mark(impUid)).toBe('paid');
  expect(await invoice()).toMatchObject({ state: 'paid', reason: said.reason, next_at: null });
  expect(await status()).toBe('active');
  const { db } = world.database;
  expect(await db.audit.findMany()).toMatchObject([{ ...said, action: 'invoice.marked_paid' }]);
  const sent = world.gateway.posts.length;
  await world.advance({ days: 5 });
  await world.run();
  await lateWatch(world.scheduler);
  expect(world.gateway.posts).toHaveLength(sent);
  expect(await db.refund.count()).toBe(0);
});

test('one payment pays one invoice', async () => {
  declineAll();
  await world.subscribe({ externalId: 'other' });
  world.gateway.script('card of other', 'decline');
  await world.run();
  const impUid = await paidElsewhere();
  await mark(impUid);
  await expect(mark(impUid, 'other')).rejects.toMatchObject({
    name: 'InputError',
    message: expect.stringMatching(/an invoice is paid by imps_\d+ already/),
  });
  expect(await invoice('other')).toMatchObject({ state: 'retrying' });
});

test('what is in review is paid by its own payment, once a person says so', async () => {
  await world.run();
  const { db } = world.database;
  const { imp_uid } = (await invoice()).attempts[0] ?? {};
  await db.$executeRaw`UPDATE attempt SET state = 'review', answered_at = NULL, imp_uid = NULL`;
  await db.$executeRaw`UPDATE invoice SET state = 'review', reason = 'another card paid', paid_at = NULL`;
  await db.$executeRaw`UPDATE observation SET accounted_as = 'review'`;
  expect(await mark(imp_uid ?? '')).toBe('paid');
  expect(await invoice()).toMatchObject({ state: 'paid', attempts: [{ state: 'paid', imp_uid }] });
  expect(await db.observation.findMany()).toMatchObject([{ accounted_as: 'settles', account_at: null }]);
});

test('beside another capture it is refused, until that one is given back', async () => {
  await world.run();
  const { db } = world.database;
  await db.$executeRaw`UPDATE attempt SET state = 'review', answered_at = NULL, imp_uid = NULL`;
  await db.$executeRaw`UPDATE invoice SET state = 'review', reason = 'a person looks', paid_at = NULL`;
  await expect(mark(await paidElsewhere())).rejects.toMatchObject({
    message: expect.stringMatching(/was captured for it as well/),
  });
  expect(await invoice()).toMatchObject({ state: 'review' });
});

/** An invoice in review, and the order to call it paid by its own payment, judged before a refund of that is begun. */
async function judgedBeforeRefund(refund: 'prepared' | 'sent') {
  await world.run();
  const { db } = world.database;
  const impUid = (await invoice()).attempts[0]?.imp_uid ?? '';
  await db.$executeRaw`UPDATE attempt SET state = 'review', answered_at = NULL, imp_uid = NULL`;
  await db.$executeRaw`UPDATE invoice SET state = 'review', reason = 'a person looks', paid_at = NULL`;
  await db.$executeRaw`UPDATE observation SET accounted_as = 'review'`;
  const invoiceId = parseInvoiceId((await invoice()).id);
  const found = await findForIntervention(db, invoiceId);
  if (found === null) throw new Error('there is none');
  const sends = refund === 'sent' ? 1 : 0;
  await db.$executeRaw`
    INSERT INTO refund (invoice_id, imp_uid, amount, currency, checksum, reason, requested_by, state, send_count, sent_at, next_at)
    VALUES (${invoiceId}::uuid, ${impUid}, 9900, 'KRW', 9900, 'x', 'kim', ${refund}, ${sends},
            CASE WHEN ${sends} > 0 THEN maedal_now() END, maedal_now())`;
  const order = { invoiceId, intervention: 'mark-paid', said, fingerprint: FINGERPRINT } as const;
  const change: Change = { invoice: { state: 'paid', watchAt: null }, attempt: 'paid', subscription: 'clear', impUid };
  const rows = async () => [await invoice(), await db.observation.findMany()];
  return { carryOut: () => intervene(db, order, found, change), rows };
}

test('a refund that went out after the order was judged leaves nothing half-done', async () => {
  const { carryOut, rows } = await judgedBeforeRefund('sent');
  const before = await rows();
  expect(await carryOut()).toBe(false);
  expect(await rows()).toEqual(before);
});

test('nor does one that goes out while the order is carried out', async () => {
  const { carryOut, rows } = await judgedBeforeRefund('prepared');
  const before = await rows();
  const lock = await lockRows(world.database.url, 'SELECT FROM refund FOR UPDATE');
  const done = carryOut();
  await lock.waitedForBy(1);
  await lock.also("UPDATE refund SET state = 'sent', send_count = 1, sent_at = maedal_now()");
  await lock.release();
  expect(await done).toBe(false);
  expect(await rows()).toEqual(before);
});

test('a refund that has not gone out yet is spared by the order', async () => {
  const { carryOut } = await judgedBeforeRefund('prepared');
  expect(await carryOut()).toBe(true);
  expect(await world.database.db.refund.findMany()).toMatchObject([{ state: 'failed', next_at: null }]);
});

test('a decline that turned paid needs no order: it is on record, and accounting settles by it', async () => {
  declineAll();
  await world.run();
  const merchantUid = (await invoice()).attempts[0]?.merchant_uid ?? '';
  world.gateway.land(merchantUid, 'paid');
  const impUid = world.gateway.captures[0]?.impUid ?? '';
  expect(await mark(impUid)).toBe('accounted');
  await accountCaptures(world.scheduler);
  expect(await invoice()).toMatchObject({ state: 'paid' });
});

test.each([
  ['is not known', async () => 'imps_nobody', /PortOne knows no payment 'imps_nobody'/],
  ['is of another amount', () => paidElsewhere(100), /does not pay 9900 KRW: its amount is 100 KRW and not 9900 KRW/],
  [
    'was given back',
    async () => {
      const impUid = await paidElsewhere();
      const won = { minor: 9_900, currency: 'KRW' };
      world.gateway.giveBack({ impUid, amount: won, checksum: won });
      return impUid;
    },
    /is cancelled at PortOne/,
  ],
  [
    'is of another invoice',
    async () => {
      await world.subscribe({ externalId: 'other' });
      await world.run();
      return (await invoice('other')).attempts[0]?.imp_uid ?? '';
    },
    /is of invoice .*name a payment of this one/,
  ],
])('a payment that %s proves nothing', async (_what, payment, problem) => {
  declineAll();
  await world.run();
  await expect(mark(await payment())).rejects.toMatchObject({ name: 'InputError', message: problem });
  expect(await invoice()).toMatchObject({ state: 'retrying' });
});

test('while a charge is unknown, or the gateway does not answer, nothing is called paid', async () => {
  world.gateway.script(`card of ${subscription}`, 'lose');
  await world.run();
  const impUid = await paidElsewhere();
  await expect(mark(impUid)).rejects.toMatchObject({ name: 'FenceError' });
  world.gateway.lookUps = 'unclear';
  await expect(mark(impUid)).rejects.toThrow('PortOne cannot be asked: the gateway is down');
  expect(await invoice()).toMatchObject({ state: 'open', attempts: [{ state: 'unknown' }] });
});
