import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseInvoiceId } from '../../src/billing/ids.ts';
import { orderCardChange } from '../../src/operator/change-card.ts';
import { orderIntervention } from '../../src/operator/intervene.ts';
import { changeSubscription, findForOrder } from '../../src/store/subscription-orders.ts';
import { dunned, GIVES_UP, SAID } from '../support/dunned.ts';
import { FINGERPRINT, invoicesOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

const { owing, follow, deps, order, row, days, minutes } = dunned(() => world);

test('a payer who owes two periods and gives a good card under the same customer_uid is charged for both', async () => {
  const id = await owing(GIVES_UP, 'decline', 'decline');
  await days(40);
  await orderCardChange(deps(), id, { customerUid: `card of ${id}` }, SAID); // the next one is no better
  await minutes(5);
  expect([(await row(id)).status, world.gateway.posts.length]).toEqual(['unpaid', 2]);
  await days(1);
  await orderCardChange(deps(), id, { customerUid: `card of ${id}` }, SAID);
  await minutes(5);
  expect((await invoicesOf(world, id)).map(({ state }) => state)).toEqual(['paid', 'paid']);
  expect((await row(id)).status).toBe('active');
});

test('of an unpaid subscription what was given up is tried on a new card before its next period is drawn up', async () => {
  const id = await owing(GIVES_UP, 'decline');
  await days(40);
  world.gateway.script('another card', 'decline', 'decline');
  await orderCardChange(deps(), id, { customerUid: 'another card' }, SAID);
  await minutes(5);
  expect(world.gateway.posts.filter(({ customerUid }) => customerUid === 'another card')).toHaveLength(1);
  expect((await invoicesOf(world, id)).map(({ state }) => state)).toEqual(['uncollectible']);
});

test('a pause in between makes what was given up neither paid nor forgotten', async () => {
  const id = await owing(GIVES_UP, 'decline');
  await order(id, { kind: 'pause' });
  await order(id, { kind: 'resume', anchor: 'keep' });
  await days(40);
  expect(await row(id)).toMatchObject({ status: 'unpaid', access: 'suspended' });
  expect(world.gateway.posts).toHaveLength(1);
});

test('what a person orders is charged at once, at whatever hour; what its policy orders waits for its hours', async () => {
  const window = { from: '09:00', until: '21:00', timezone: 'Asia/Seoul' };
  const id = await owing({ ...GIVES_UP, retryAfterDays: [1, 2], window }, 'decline', 'decline');
  await world.advance({ hours: 35 }); // 21:00 of the day after: its retry was due at 10:00, and nobody came
  await world.run();
  expect(world.gateway.posts).toHaveLength(1);
  const [invoice] = await invoicesOf(world, id);
  await orderIntervention(deps(), parseInvoiceId(invoice?.id ?? ''), 'retry', SAID);
  await world.run();
  expect(world.gateway.posts).toHaveLength(2);
});

test('a retry that no connection took all evening waits for the hours of its policy', async () => {
  const window = { from: '09:00', until: '21:00', timezone: 'Asia/Seoul' };
  const id = await owing({ ...GIVES_UP, retryAfterDays: [1, 2], window }, 'decline');
  await world.advance({ hours: 34 }); // 20:00 of the day after
  world.gateway.script(`card of ${id}`, ...Array.from({ length: 3 }, () => 'refuse-connection' as const));
  await world.run();
  for (let tries = 0; tries < 2; tries += 1) {
    await world.advance({ minutes: 20 });
    await world.run();
  }
  const [invoice] = await invoicesOf(world, id);
  expect(invoice?.attempts.at(-1)).toMatchObject({ state: 'prepared', send_count: 3, not_sent_count: 3 });
  await world.advance({ hours: 3, minutes: 30 }); // ten minutes past midnight
  await world.run();
  expect(world.gateway.posts).toHaveLength(1);
  await world.advance({ hours: 9 });
  await world.run();
  expect((await invoicesOf(world, id)).map(({ state }) => state)).toEqual(['paid']);
});

test('a subscription that its policy paused is unpaid when it is resumed, and a card given meanwhile is tried then', async () => {
  const id = await owing({ ...GIVES_UP, end: 'pause' }, 'decline');
  await order(id, { kind: 'resume', anchor: 'keep' });
  expect(await row(id)).toMatchObject({ status: 'unpaid', access: 'suspended' });
  await order(id, { kind: 'pause' });
  await days(1);
  await orderCardChange(deps(), id, { customerUid: 'another card' }, SAID);
  await minutes(3);
  expect((await row(id)).status).toBe('paused');
  await order(id, { kind: 'resume', anchor: 'keep' });
  await minutes(3);
  expect((await invoicesOf(world, id)).map(({ state }) => state)).toEqual(['paid']);
  expect(await row(id)).toMatchObject({ status: 'active', access: 'full' });
});

test('where one of two that were given up is paid, the subscription is unpaid as before', async () => {
  const id = await owing(GIVES_UP, 'decline');
  const given = (await invoicesOf(world, id))[0];
  await world.database.db.$executeRaw`
    INSERT INTO invoice (subscription_id, period_key, period_index, period_start, period_end, due_at, amount, currency, name, state, reason, policy_version_id)
    SELECT subscription_id, '2026-12-31', 99, period_start, period_end, due_at, amount, currency, name, 'held', 'catch_up', policy_version_id
      FROM invoice WHERE id = ${given?.id}::uuid`;
  const held = (await invoicesOf(world, id)).find(({ state }) => state === 'held');
  await orderIntervention(deps(), parseInvoiceId(held?.id ?? ''), 'release', SAID);
  await minutes(5);
  expect((await invoicesOf(world, id)).map(({ state }) => state).sort()).toEqual(['paid', 'uncollectible']);
  expect(await row(id)).toMatchObject({ status: 'unpaid', access: 'suspended' });
});

test('a subscription that its policy cancels leaves nothing held for ever', async () => {
  const id = await owing({ ...GIVES_UP, end: 'cancel' });
  await world.advance({ days: 95 });
  world.gateway.script(`card of ${id}`, 'decline');
  await minutes(5);
  expect((await row(id)).status).toBe('canceled');
  expect((await invoicesOf(world, id)).map(({ state }) => state)).toEqual(['paid', 'void', 'void', 'uncollectible']);
});

test('killed between the two statements of a cancel, what is held for another reason is void as well', async () => {
  const id = await world.subscribe();
  await world.run();
  await world.advance({ days: 65 });
  await minutes(3);
  expect((await invoicesOf(world, id)).map(({ state }) => state)).toContain('held');
  const found = await findForOrder(world.database.db, id);
  if (found === null) throw new Error('it is there');
  await changeSubscription(world.database.db, found, { status: 'canceled', event: 'subscription.canceled' }, by());
  await minutes(2);
  expect((await invoicesOf(world, id)).map(({ state }) => state)).not.toContain('held');
});

test('a subscription that was cancelled to the end of its period, and given up on before, ends there all the same', async () => {
  const id = await owing({ ...GIVES_UP, retryAfterDays: [1] }, 'decline', 'decline');
  await order(id, { kind: 'cancel', at: 'period_end' });
  await days(10);
  expect((await row(id)).status).toBe('unpaid');
  await days(30);
  expect(await row(id)).toMatchObject({ status: 'canceled', next_due_at: null });
});

test('a pause while another card is waited for ends nothing when it ends: the wait begins anew', async () => {
  const other = { retryAfterDays: [], card: 'other' } as const;
  const classes = { funds: other, card: other, other };
  const id = await owing({ ...GIVES_UP, classes, waitForCardDays: 7, end: 'cancel' }, 'decline');
  await order(id, { kind: 'pause' });
  await days(11);
  await order(id, { kind: 'resume', anchor: 'keep' });
  await days(6);
  expect((await row(id)).status).toBe('past_due');
  await days(2);
  expect((await row(id)).status).toBe('canceled');
});

test.each([
  ['pause', 'held', 'subscription.paused'],
  ['cancel', 'void', 'subscription.canceled'],
] as const)(
  'of two that wait for a card to the same instant, one ends in a %s and the other is %s',
  async (end, state, told) => {
    const classes = { card: { retryAfterDays: [], card: 'other' as const } };
    await follow({ ...GIVES_UP, classes, waitForCardDays: 2, end });
    world.gateway.declineAs = 'card';
    const id = await world.subscribe({ interval: 'day' });
    world.gateway.script(`card of ${id}`, 'decline', 'decline');
    await world.run();
    await days(1);
    await world.advance({ days: 5 });
    await minutes(2);
    const waited = (await invoicesOf(world, id)).filter(({ failures }) => failures > 0);
    expect(waited.map((invoice) => invoice.state)).toEqual(['uncollectible', state]);
    expect(await world.database.db.outbox.count({ where: { kind: told } })).toBe(1);
  },
);

test('a resume after the last agreed period gives none for free', async () => {
  const id = await world.subscribe({ endsAfter: 1 });
  await world.run();
  await days(10);
  await order(id, { kind: 'pause' });
  await days(25);
  await order(id, { kind: 'resume', anchor: 'keep' });
  await minutes(2);
  expect((await row(id)).status).toBe('canceled');
});

test('missed periods are charged a day apart, a pause in between or not', async () => {
  await world.end();
  world = await newWorld('all');
  const id = await world.subscribe({ interval: 'day' });
  await world.run();
  await world.advance({ days: 5, hours: 2 });
  await minutes(8);
  const before = world.gateway.posts.length;
  await order(id, { kind: 'pause' });
  await order(id, { kind: 'resume', anchor: 'keep' });
  await minutes(8);
  expect(world.gateway.posts.length - before).toBeLessThanOrEqual(1);
});

function by() {
  return { ...SAID, fingerprint: FINGERPRINT, versions: { default: 'test' } };
}
