import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newWorld, type World } from './fixture.ts';
import { addInvoice, addSubscription } from './rows.ts';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.close());

test('counts the invoices by status and says what is next', async () => {
  const cookie = await world.logIn();
  const page = async () => (await world.app.inject({ url: '/', headers: { cookie } })).body;
  expect(await page()).toContain('Next due: nothing');
  const { id } = await addSubscription(world.database.db, 'sub-1');
  await addInvoice(world.database.db, id, { period: '2027-01-31' });
  await addInvoice(world.database.db, id, { period: '2027-02-28', state: 'open', nextAt: '2027-02-27T01:00:00Z' });
  const body = await page();
  expect(body).toContain('<tr><th scope="row">open</th><td class="number">1</td></tr>');
  expect(body).toContain('<tr><th scope="row">paid</th><td class="number">1</td></tr>');
  expect(body).toContain('<time datetime="2027-02-27T01:00:00Z">');
  expect(body).toContain('<a href="/queues">');
  expect(body).toContain('<form method="post" action="/logout">');
});
