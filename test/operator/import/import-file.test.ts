import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { InputError } from '../../../src/billing/errors.ts';
import { importFile } from '../../../src/operator/import/import-file.ts';
import { csv, type ImportWorld, newImportWorld, SOUND, soundRow } from './world.ts';

let world: ImportWorld;
beforeAll(async () => {
  world = await newImportWorld();
});
beforeEach(async () => {
  world.cards.length = 0;
  await world.db.$executeRaw`TRUNCATE customer, billing_key, subscription, import_row CASCADE`;
});
afterAll(() => world.end());

test('a row becomes a customer, a billing key and a subscription, whose history begins', async () => {
  const row = {
    ...SOUND,
    buyer_name: '김철수',
    buyer_email: 'kim@example.com',
    buyer_tel: '010-1234-5678',
    channel: 'nice',
  };
  expect(await world.import(csv(row))).toEqual({ imported: 1, unchanged: 0, customers: 1 });
  const customer = await world.db.customer.findFirstOrThrow();
  expect(customer).toMatchObject({
    external_id: 'cust-1',
    name: '김철수',
    email: 'kim@example.com',
    tel: '010-1234-5678',
  });
  const key = await world.db.billing_key.findFirstOrThrow();
  expect(key).toMatchObject({ customer_id: customer.id, customer_uid: 'card-1', channel: 'nice', preference: 0 });
  const subscription = await world.db.subscription.findFirstOrThrow();
  expect(subscription).toMatchObject({
    external_id: 'sub-1',
    customer_id: customer.id,
    billing_key_id: key.id,
    plan: null,
    name: 'Coffee',
    amount: 9_900n,
    currency: 'KRW',
    interval: 'month',
    interval_count: 1,
    anchor_local: '2027-03-01T10:00:00',
    timezone: 'Asia/Seoul',
    channel: 'nice',
    policy: 'default',
    status: 'active',
  });
  const [event] = await world.db.history.findMany({ where: { entity_id: subscription.id } });
  expect(event).toMatchObject({ entity: 'subscription', from_state: null, to_state: 'active', who: 'maedal/import' });
});

test('a plan fills what a row leaves blank, the zone comes from the configuration, and the row goes first', async () => {
  const { subscription_id, customer_id, customer_uid, anchor_at } = SOUND;
  const blank = { subscription_id, customer_id, customer_uid, anchor_at, plan: 'monthly' };
  await world.import(csv({ ...blank, amount: '' }, { ...soundRow(2), plan: 'monthly', name: '', amount: '8000' }));
  expect(await world.db.subscription.findMany({ orderBy: { external_id: 'asc' } })).toMatchObject([
    {
      plan: 'monthly',
      name: 'Monthly box',
      amount: 9_900n,
      interval: 'month',
      policy: 'gentle',
      timezone: 'Asia/Seoul',
    },
    { plan: 'monthly', name: 'Monthly box', amount: 8_000n },
  ]);
});

test('backup keys follow the first one in order of preference; customers and keys are shared by rows', async () => {
  const second = { ...soundRow(2), customer_id: 'cust-1', customer_uid: 'card-2' };
  const result = await world.import(csv({ ...SOUND, backup_customer_uids: 'card-2; card-3 ;' }, second));
  expect(result).toEqual({ imported: 2, unchanged: 0, customers: 1 });
  const keys = await world.db.billing_key.findMany({ orderBy: { customer_uid: 'asc' } });
  expect(keys.map(({ customer_uid, preference }) => [customer_uid, preference])).toEqual([
    ['card-1', 0],
    ['card-2', 0],
    ['card-3', 2],
  ]);
});

test('amounts are major units of their currency', async () => {
  await world.import(csv({ ...SOUND, amount: '9.9', currency: 'USD' }));
  expect(await world.db.subscription.findFirst()).toMatchObject({ amount: 990n, currency: 'USD' });
});

test('one bad row among 2,000 and nothing is imported', async () => {
  const rows = Array.from({ length: 2_000 }, (_, index) => soundRow(index, { test_card: 'approve' }));
  rows[1_500] = soundRow(1_500, { amount: '1.5' });
  expect(await world.refusal(csv(...rows))).toEqual(["1502: amount: '1.5' has too many decimals; KRW has no decimals"]);
  expect(await counts()).toEqual({ customers: 0, keys: 0, subscriptions: 0, staged: 0 });
  expect(world.cards).toEqual([]);
});

test('5,000 rows come in whole, and a second time they are unchanged', async () => {
  const text = csv(...Array.from({ length: 5_000 }, (_, index) => soundRow(index, { test_card: 'approve' })));
  expect(await world.import(text)).toEqual({ imported: 5_000, unchanged: 0, customers: 5_000 });
  expect(await counts()).toEqual({ customers: 5_000, keys: 5_000, subscriptions: 5_000, staged: 0 });
  expect(world.cards).toHaveLength(5_000);
  expect(new Set(world.cards.map(({ customerUid }) => customerUid)).size).toBe(5_000);
  expect(await world.import(text)).toEqual({ imported: 0, unchanged: 5_000, customers: 0 });
  expect(world.cards).toHaveLength(5_000); // a card that was changed since stays as it is
});

test('other spellings of the same values are unchanged, and new rows join the old ones', async () => {
  await world.import(csv({ ...SOUND, amount: '9.90', currency: 'USD', anchor_at: '2027-03-01 10:00:00' }));
  const again = { ...SOUND, amount: '9.9', currency: 'USD', anchor_at: '2027-03-01T10:00', interval_count: '01' };
  expect(await world.import(csv(again, soundRow(2)))).toEqual({ imported: 1, unchanged: 1, customers: 1 });
});

test('a new price of the plan leaves the rows of old unchanged', async () => {
  const { amount: _, ...rest } = SOUND;
  const text = csv({ ...rest, plan: 'monthly' });
  await world.import(text);
  const monthly = {
    name: 'Box',
    amount: { minor: 12_000, currency: 'KRW' },
    interval: 'month',
    intervalCount: 1,
    policy: 'x',
  };
  const result = await world.import(text, { deps: { plans: { monthly: { ...monthly, interval: 'month' } } } });
  expect(result).toEqual({ imported: 0, unchanged: 1, customers: 0 });
  expect(await world.db.subscription.findFirst()).toMatchObject({ amount: 9_900n });
});

test('other values of a subscription that is there are refused by name, and nothing else comes in', async () => {
  await world.import(csv(SOUND));
  const text = csv({ ...SOUND, amount: '12900', ends_after: '3' }, { ...soundRow(2), ends_after: '' });
  expect(await world.refusal(text)).toEqual([
    "2: subscription_id 'sub-1' is in the database already, with amount '9900' there and '12900' here, ends_after blank there and '3' here",
  ]);
  expect(await counts()).toMatchObject({ subscriptions: 1 });
});

test('a subscription that came from no file is not taken over by one', async () => {
  await world.import(csv(SOUND));
  await world.db.$executeRaw`UPDATE subscription SET imported = NULL`;
  expect(await world.refusal(csv(SOUND))).toEqual([
    "2: subscription_id 'sub-1' is in the database already, and came from no file",
  ]);
});

test('a customer who is there gets what was blank, and keeps the rest', async () => {
  await world.import(csv({ ...SOUND, buyer_name: '김철수' }));
  await world.import(csv({ ...soundRow(2), customer_id: 'cust-1', buyer_tel: '010-1234-5678' }));
  expect(await world.db.customer.findMany()).toMatchObject([{ name: '김철수', email: null, tel: '010-1234-5678' }]);
});

test('a dry run tells what would happen and moves nothing', async () => {
  await world.import(csv(SOUND));
  const text = csv({ ...SOUND, test_card: '' }, { ...soundRow(2), test_card: 'approve' });
  expect(await world.import(text, { dryRun: true })).toEqual({ imported: 1, unchanged: 1, customers: 1 });
  expect(await counts()).toEqual({ customers: 1, keys: 1, subscriptions: 1, staged: 0 });
  expect(world.cards).toEqual([]);
});

test('several imports of one file at once: each subscription comes in once, the rest is unchanged', async () => {
  const text = csv(...Array.from({ length: 300 }, (_, index) => soundRow(index)));
  const results = await Promise.all([world.import(text), world.import(text), world.import(text)]);
  expect(results.map(({ imported, unchanged }) => imported + unchanged)).toEqual([300, 300, 300]);
  expect(results.reduce((sum, { imported }) => sum + imported, 0)).toBe(300);
  expect(await counts()).toEqual({ customers: 300, keys: 300, subscriptions: 300, staged: 0 });
});

test('what another import brought in while test cards were stored is unchanged, or refused if it differs', async () => {
  const row = { ...SOUND, test_card: 'approve' };
  const meanwhile = (other: Record<string, string>) => ({
    sandbox: { isTestCard: () => true, storeTestCards: async () => void (await world.import(csv(other))) },
  });
  expect(await world.import(csv(row, soundRow(2)), { deps: meanwhile(row) })).toEqual({
    imported: 1,
    unchanged: 1,
    customers: 1,
  });

  const third = soundRow(3, { test_card: 'approve' });
  expect(await world.refusal(csv(third, soundRow(4)), meanwhile({ ...third, amount: '5' }))).toEqual([
    "2: subscription_id 'sub-3' is in the database already, with amount '5' there and '9900' here",
  ]);
  expect(await counts()).toMatchObject({ subscriptions: 3, staged: 0 });
});

test('when the sandbox refuses a card, nothing is imported', async () => {
  const storeTestCards = () => Promise.reject(new InputError('no sandbox answers', 'start it'));
  const sandbox = { isTestCard: () => true, storeTestCards };
  await expect(world.import(csv({ ...SOUND, test_card: 'approve' }), { deps: { sandbox } })).rejects.toThrow(
    'no sandbox',
  );
  expect(await counts()).toEqual({ customers: 0, keys: 0, subscriptions: 0, staged: 0 });
});

test('a file that cannot be read says so', async () => {
  const missing = importFile(world.deps, '/nowhere/rows.csv', { dryRun: false });
  await expect(missing).rejects.toThrow("cannot read '/nowhere/rows.csv' (ENOENT); check the path and who may read it");
  const folder = importFile(world.deps, join(import.meta.dirname, '..'), { dryRun: false });
  await expect(folder).rejects.toThrow(/is a folder; name a CSV or JSON file$/);
});

async function counts() {
  const { db } = world;
  const [customers, keys, subscriptions, staged] = await Promise.all([
    db.customer.count(),
    db.billing_key.count(),
    db.subscription.count(),
    db.import_row.count(),
  ]);
  return { customers, keys, subscriptions, staged };
}
