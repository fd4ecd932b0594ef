import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { nextDue } from '../../src/cli/next-due.ts';
import { stopSending } from '../../src/store/control.ts';
import { readProgress } from '../../src/store/progress.ts';
import { raiseUnknownCaptures, resumeSending } from '../../src/store/sending-alarms.ts';
import { newWorld, type World } from './fixture.ts';
import { addAttempt, addInvoice, addSubscription } from './rows.ts';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.close());

test('counts the invoices by status and says what is next', async () => {
  const cookie = await world.logIn();
  const page = async () => (await world.app.inject({ url: '/', headers: { cookie } })).body;
  expect(await page()).toContain('Next due, retries included: nothing');
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

test('what is overdue is due now, and a look-up is no charge: on the page as in what commands say', async () => {
  const { db } = world.database;
  await db.$executeRaw`TRUNCATE customer CASCADE`;
  const cookie = await world.logIn();
  const said = async () => {
    const { body } = await world.app.inject({ url: '/', headers: { cookie } });
    const [, page = ''] = /Next due, retries included: (?:<time [^>]*>)?([^<]*)/.exec(body) ?? [];
    return { page, command: nextDue(await readProgress(db)) };
  };
  const { id, billingKeyId } = await addSubscription(db, 'sub-1');
  const invoiceId = await addInvoice(db, id, {
    period: '2027-01-31',
    state: 'retrying',
    nextAt: '2020-01-01T00:00:00Z',
  });
  expect(await said()).toEqual({ page: 'now', command: 'now' });
  await db.$executeRaw`UPDATE invoice SET next_at = '2027-02-01T01:00:00.5Z'`;
  expect(await said()).toEqual({ page: '2027-02-01T01:00:00.500Z', command: '2027-02-01T01:00:00Z' });
  await addAttempt(db, { invoiceId, billingKeyId, number: 1 }, { state: 'unknown', sentAt: '2027-01-31T01:00:00Z' });
  expect(await said()).toEqual({ page: '2027-02-28T01:00:00Z', command: '2027-02-28T01:00:00Z' });
});

test('says that sending is switched off, every reason for that and who gave it, and nothing while it is on', async () => {
  const { db } = world.database;
  const cookie = await world.logIn();
  const page = async () => (await world.app.inject({ url: '/', headers: { cookie } })).body;
  expect(await page()).not.toContain('switched off');
  await stopSending(db, { actor: 'cli:kim', reason: '<deploy>' });
  await raiseUnknownCaptures(db, [{ impUid: 'imps_1', reason: 'imps_1 is not known' }], {
    actor: 'maedal/audit',
    reason: 'the books differ',
  });
  expect(await page()).toContain(
    'Sending is switched off: &#60;deploy&#62;; the books differ (cli:kim, maedal/audit). <code>maedal send on</code>',
  );
  await resumeSending(db, { actor: 'cli:kim', reason: 'looked' }, 1);
  expect(await page()).not.toContain('switched off');
});
