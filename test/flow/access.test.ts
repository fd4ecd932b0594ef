import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseInvoiceId } from '../../src/billing/ids.ts';
import { orderIntervention } from '../../src/operator/intervene.ts';
import { dunned, GIVES_UP, SAID } from '../support/dunned.ts';
import { invoicesOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

const { owing, follow, deps, order, row, days, minutes } = dunned(() => world);

test('what was given up gives no access back before it is paid, tried again or not, a pause in between or not', async () => {
  const id = await owing(GIVES_UP, 'decline');
  const [given] = await invoicesOf(world, id);
  await orderIntervention(deps(), parseInvoiceId(given?.id ?? ''), 'retry', SAID);
  expect(await row(id)).toMatchObject({ status: 'past_due', access: 'suspended' });
  await order(id, { kind: 'pause' });
  await order(id, { kind: 'resume', anchor: 'keep' });
  expect(await row(id)).toMatchObject({ status: 'past_due', access: 'suspended' });
  await days(2);
  expect(await row(id)).toMatchObject({ status: 'active', access: 'full' });
});

test('what the account is refused for takes no access away, and tells the payer nothing', async () => {
  const steps = [{ name: 'cut', afterDays: 2, access: 'suspended' as const }];
  world.gateway.declineAs = 'config';
  const id = await owing(
    { ...GIVES_UP, retryAfterDays: [1, 3, 5], steps },
    ...['decline' as const, 'decline' as const, 'decline' as const, 'decline' as const],
  );
  await days(8);
  const [invoice] = await invoicesOf(world, id);
  expect(invoice).toMatchObject({ state: 'held', reason: 'account_refused' });
  expect((await row(id)).access).toBe('grace');
  expect(await world.database.db.outbox.count({ where: { kind: 'dunning.step_entered' } })).toBe(0);
});

test('of several unpaid invoices the strictest step counts, and one step may leave more than grace', async () => {
  const steps = [
    { name: 'all', afterDays: 0, access: 'full' as const },
    { name: 'some', afterDays: 2, access: 'grace' as const },
  ];
  await follow({ ...GIVES_UP, retryAfterDays: [1, 3, 5, 7, 9], steps });
  const id = await world.subscribe({ interval: 'day' });
  world.gateway.script(`card of ${id}`, ...Array.from({ length: 30 }, () => 'decline' as const));
  await minutes(2);
  const seen = [(await row(id)).access];
  for (let day = 0; day < 4; day += 1) {
    await days(1);
    seen.push((await row(id)).access);
  }
  expect(seen).toEqual(['full', 'full', 'grace', 'grace', 'grace']);
  await order(id, { kind: 'pause' });
  await order(id, { kind: 'resume', anchor: 'keep' });
  expect((await row(id)).access).toBe('grace');
});
