import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { sweep } from '../../src/scheduler/sweep.ts';
import { tick } from '../../src/scheduler/tick.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
let bad: string;
beforeEach(async () => {
  world = await newWorld();
  bad = await world.subscribe({ externalId: 'bad' });
});
afterEach(() => world.end());

/** The database refuses that row from now on, but as the rule has it. */
async function poison(table: 'attempt' | 'invoice', id: string | undefined, rule: string): Promise<void> {
  await world.database.db.$executeRawUnsafe(
    `ALTER TABLE ${table} ADD CONSTRAINT poison CHECK (id <> '${id}' OR ${rule}) NOT VALID`,
  );
}

async function captureSilently(): Promise<void> {
  world.gateway.script('card of bad', 'capture-silently');
  await world.run();
  const uid = (await invoiceOf(world, bad)).attempts[0]?.merchant_uid ?? '';
  const answer = await world.gateway.lookUp(uid);
  if (answer.kind === 'found') await world.worker.store.observe(answer.records, 'look_up');
}

const broken = () => world.events.filter((event) => event.kind === 'subscription.broken');

test('a capture that the database refuses to settle is told, put off for a minute, and stops nobody’s charge', async () => {
  await captureSilently();
  await poison('attempt', (await invoiceOf(world, bad)).attempts[0]?.id, "state <> 'paid'");
  const good = await world.subscribe();
  await world.run();
  expect(await invoiceOf(world, good)).toMatchObject({ state: 'paid' });
  expect(broken()).toMatchObject([{ subscription: 'bad', error: { message: expect.stringMatching(/poison/) } }]);
  await world.advance({ seconds: 59 });
  await sweep(world.scheduler);
  expect(broken()).toHaveLength(1);
  await world.database.db.$executeRaw`ALTER TABLE attempt DROP CONSTRAINT poison`;
  await world.advance({ seconds: 1 });
  await sweep(world.scheduler);
  expect(await invoiceOf(world, bad)).toMatchObject({ state: 'paid' });
});

test('an invoice that cannot be decided on when its wait for a card is over stops nobody’s charge', async () => {
  world.gateway.script('card of bad', 'decline');
  await world.run();
  const { id } = await invoiceOf(world, bad);
  await world.database.db.$executeRaw`UPDATE invoice SET reason = 'awaiting_card', next_at = maedal_now()`;
  await poison('invoice', id, 'reason IS NOT NULL');
  const good = await world.subscribe();
  await world.run();
  expect(broken()).toMatchObject([{ subscription: 'bad' }, { subscription: 'bad' }]);
  expect(await invoiceOf(world, good)).toMatchObject({ state: 'paid' });
});

test('a retry that cannot be prepared, and steps that cannot be entered, stop nobody’s charge', async () => {
  world.gateway.script('card of bad', 'decline');
  world.gateway.script('card of other', 'decline');
  const other = await world.subscribe({ externalId: 'other' });
  await world.run();
  const { db } = world.database;
  await db.$executeRawUnsafe(
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'poison'; END $$`,
  );
  await db.$executeRawUnsafe(
    `CREATE TRIGGER poison BEFORE INSERT ON attempt FOR EACH ROW WHEN (NEW.invoice_id = '${(await invoiceOf(world, bad)).id}') EXECUTE FUNCTION refuse()`,
  );
  const refused = () => Promise.reject(new Error('no such row'));
  const { dueInSweep } = world.scheduler.store;
  const finding = async () => ({ ...(await dueInSweep(false)), steps: true, givenCards: true });
  Object.assign(world.scheduler.store, { dueInSweep: finding, enterSteps: refused, payableByGivenCards: refused });
  await world.advance({ days: 1 });
  await world.run();
  expect(await invoiceOf(world, other)).toMatchObject({ state: 'paid' });
  expect(broken()).toContainEqual(expect.objectContaining({ subscription: 'bad' }));
  for (const where of ['steps', 'given cards'])
    expect(world.events).toContainEqual(expect.objectContaining({ kind: 'work.failed', where }));
});

test('a row that a look cannot judge is told, and stops nobody’s charge', async () => {
  world.gateway.script('card of bad', 'decline');
  await world.run();
  const { db } = world.database;
  const { id } = await invoiceOf(world, bad);
  await db.$executeRaw`UPDATE invoice SET step_at = maedal_now(), next_at = maedal_now() + interval '9 days'`;
  await db.$executeRawUnsafe(`CREATE OR REPLACE FUNCTION maedal_last_decline(of_invoice uuid) RETURNS text LANGUAGE plpgsql STABLE AS $$
    BEGIN IF of_invoice = '${id}' THEN RAISE 'poison'; END IF; RETURN 'funds'; END $$`);
  const good = await world.subscribe();
  await world.run();
  expect(await invoiceOf(world, good)).toMatchObject({ state: 'paid' });
  for (const where of ['look', 'steps'])
    expect(world.events).toContainEqual(expect.objectContaining({ kind: 'work.failed', where }));
});

test('subscriptions that no look can be taken at are drawn up all the same', async () => {
  const { dueInTick } = world.scheduler.store;
  const refused = async () => Promise.reject<Awaited<ReturnType<typeof dueInTick>>>(new Error('poison'));
  Object.assign(world.scheduler.store, { dueInTick: refused });
  await world.run();
  expect(await invoiceOf(world, bad)).toMatchObject({ state: 'paid' });
});

test('where nobody can be read who is due, what was given up is settled all the same before the tick fails', async () => {
  const { store } = world.scheduler;
  const settled: string[] = [];
  Object.assign(store, {
    dueInTick: async () => ({ now: await store.databaseNow(), arrears: true, endings: true }),
    dueSubscriptions: () => Promise.reject(new Error('poison')),
    clearArrears: async () => settled.push('arrears'),
    endStopped: async () => settled.push('endings'),
  });
  await expect(tick(world.scheduler)).rejects.toThrow('poison');
  expect(settled).toEqual(['arrears', 'endings']);
});

test('a database that is away is no row’s fault: the pass ends, to be made again', async () => {
  await captureSilently();
  const away = Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
  Object.assign(world.scheduler.store, { record: () => Promise.reject(away) });
  await expect(sweep(world.scheduler)).rejects.toThrow(away);
  expect(broken()).toEqual([]);
});
