import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { orderCardChange } from '../../src/operator/change-card.ts';
import { dunned, GIVES_UP, SAID } from '../support/dunned.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

// `change-card` names a card of the payer's that is known already: mostly a backup that is to be charged first.

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

const { owing, follow, deps, row, days, minutes } = dunned(() => world);
const change = (id: string, registered?: boolean) =>
  orderCardChange(deps(), id, { customerUid: 'the backup', registered }, SAID);

async function addBackup(id: string): Promise<void> {
  const { customer_id } = await row(id);
  await world.database.db.billing_key.create({ data: { customer_id, customer_uid: 'the backup', preference: 1 } });
}

test('a backup card that becomes the first one is the card it was: a hard decline of it counts, unless another is registered under it', async () => {
  world.gateway.declineAs = 'card';
  await follow({ ...GIVES_UP, waitForCardDays: 20, classes: { card: { retryAfterDays: [], card: 'other' } } });
  const id = await world.subscribe();
  await addBackup(id);
  world.gateway.script(`card of ${id}`, 'decline');
  const onBackup = () => world.gateway.posts.filter(({ customerUid }) => customerUid === 'the backup').length;
  world.gateway.script('the backup', 'decline');
  await world.run();
  await days(2);
  expect(onBackup()).toBe(1);
  await change(id);
  await days(2);
  expect(onBackup()).toBe(1);
  await change(id, true);
  await minutes(2);
  expect(onBackup()).toBe(2);
  expect(await invoiceOf(world, id)).toMatchObject({ state: 'paid' });
});

test('a backup card that nobody tried yet is tried at once when it becomes the first one, as the one it was', async () => {
  world.gateway.declineAs = 'card';
  const id = await owing(GIVES_UP, 'decline');
  await addBackup(id);
  await change(id);
  await minutes(2);
  expect(await invoiceOf(world, id)).toMatchObject({ state: 'paid' });
  expect(await world.database.db.billing_key.findFirst({ where: { customer_uid: 'the backup' } })).toMatchObject({
    registration: 1,
  });
});
