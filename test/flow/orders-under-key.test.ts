import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { orderCardChange } from '../../src/operator/change-card.ts';
import { orderSubscription } from '../../src/operator/order-subscription.ts';
import { changeCard } from '../../src/store/card-change.ts';
import { claimKey, type Key } from '../../src/store/idempotency.ts';
import { changeSubscription, findForOrder, type SubscriptionFound } from '../../src/store/subscription-orders.ts';
import { CHANNEL, FINGERPRINT, invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
let subscription: string;
beforeEach(async () => {
  world = await newWorld();
  subscription = await world.subscribe();
});
afterEach(() => world.end());

const said = { actor: 'api', reason: 'by the API' };
const deps = () => ({
  db: world.database.db,
  fingerprint: FINGERPRINT,
  versions: { default: 'test' },
  channel: () => ({ ...CHANNEL, declinesAreFinal: true }),
});

/** A key that a request has taken. */
async function claimed(key: string): Promise<Key> {
  const under = { scope: 'a path', key, bodyHash: 'a body' };
  expect(await claimKey(world.database.db, under)).toEqual({ kind: 'ours' });
  return under;
}

async function reading(): Promise<SubscriptionFound> {
  const found = await findForOrder(world.database.db, subscription);
  if (found === null) throw new Error('there is none');
  return found;
}

test('killed between subscription and invoices, a cancel is made up for by whoever takes its key over', async () => {
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  const { db } = world.database;
  const once = { ...said, under: await claimed('cancel') };
  const found = await reading();
  const change = { status: 'canceled', event: 'subscription.canceled' } as const;
  expect(await changeSubscription(db, found, change, { ...once, ...deps() })).toBe(true);
  expect(await orderSubscription(deps(), subscription, { kind: 'cancel', at: 'now' }, once)).toEqual({ kind: 'done' });
  expect(await invoiceOf(world, subscription)).toMatchObject({ state: 'void' });
  expect(await db.audit.count({ where: { action: 'subscription.canceled' } })).toBe(1);
});

test('killed between card and charge, the charge is ordered by whoever takes the key over, and once', async () => {
  world.gateway.script(`card of ${subscription}`, 'decline');
  await world.run();
  await world.advance({ seconds: 1 });
  const { db } = world.database;
  const once = { ...said, under: await claimed('change-card') };
  const found = await reading();
  expect(await changeCard(db, found, { customerUid: 'another card' }, { ...once, fingerprint: FINGERPRINT })).toBe(
    true,
  );
  world.gateway.script('another card', 'decline');
  for (let turn = 0; turn < 3; turn += 1) {
    expect(await orderCardChange(deps(), subscription, { customerUid: 'another card' }, once)).toEqual({
      kind: 'done',
    });
    await world.run();
    await world.advance({ seconds: 1 });
  }
  expect(world.gateway.posts).toHaveLength(2);
});

test('a card that became another customer’s meanwhile changes nothing, and leaves the key to be done', async () => {
  const { db } = world.database;
  await world.subscribe({ externalId: 'of another' });
  const once = { ...said, under: await claimed('change-card') };
  const taken = 'card of of another';
  expect(await changeCard(db, await reading(), { customerUid: taken }, { ...once, fingerprint: FINGERPRINT })).toBe(
    false,
  );
  expect(await db.idempotency.findMany()).toMatchObject([{ done_at: null }]);
  expect(await orderCardChange(deps(), subscription, { customerUid: taken }, once)).toMatchObject({ kind: 'refused' });
});

test('what is found undone under a key, and is done by another before its statement, is not done twice', async () => {
  const { db } = world.database;
  await world.run();
  const once = { ...said, under: await claimed('pause') };
  expect(await orderSubscription(deps(), subscription, { kind: 'pause' }, once)).toEqual({ kind: 'done' });
  await orderSubscription(deps(), subscription, { kind: 'resume', anchor: 'keep' }, said);
  const found = await reading();
  const change = { status: 'paused', event: 'subscription.paused' } as const;
  expect(await changeSubscription(db, found, change, { ...once, ...deps() })).toBe(false);
  expect(await changeCard(db, found, { customerUid: 'another card' }, { ...once, fingerprint: FINGERPRINT })).toBe(
    false,
  );
  expect((await reading()).standing).toMatchObject({ status: 'active' });
  expect(await db.billing_key.count({ where: { customer_uid: 'another card' } })).toBe(0);
});
