import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseInvoiceId } from '../../src/billing/ids.ts';
import { orderIntervention } from '../../src/operator/intervene.ts';
import { dunned, GIVES_UP, SAID } from '../support/dunned.ts';
import { invoiceOf, newWorld, type World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => world.end());

const { owing, follow, deps, order, row, days, minutes } = dunned(() => world);

const retry = async (id: string) =>
  orderIntervention(deps(), parseInvoiceId((await invoiceOf(world, id)).id), 'retry', SAID);

test.each(['funds', 'config'] as const)(
  'what was written off, tried again and declined for %s, stays written off, whatever its policy is by now',
  async (declined) => {
    const id = await owing({ ...GIVES_UP, end: 'write_off' }, 'decline', 'decline');
    await days(2);
    await follow({ ...GIVES_UP, retryAfterDays: [5, 9] });
    world.gateway.declineAs = declined;
    await retry(id);
    await minutes(3);
    expect(world.gateway.posts).toHaveLength(2);
    expect(await invoiceOf(world, id)).toMatchObject({ state: 'uncollectible', reason: 'written_off' });
    expect(await row(id)).toMatchObject({ status: 'active', access: 'full' });
  },
);

test('while it is tried it is owed by nobody, a pause in between or not; paid, it is paid', async () => {
  const id = await owing({ ...GIVES_UP, end: 'write_off' }, 'decline');
  world.gateway.script(`card of ${id}`, 'lose');
  await days(2);
  await retry(id);
  await minutes(2);
  expect(await invoiceOf(world, id)).toMatchObject({ state: 'retrying' });
  await order(id, { kind: 'pause' });
  await order(id, { kind: 'resume', anchor: 'keep' });
  expect(await row(id)).toMatchObject({ status: 'active', access: 'full' });
  world.gateway.land((await invoiceOf(world, id)).attempts.at(-1)?.merchant_uid ?? '', 'paid');
  await world.advance({ hours: 2 });
  await minutes(2);
  expect(await invoiceOf(world, id)).toMatchObject({ state: 'paid', written_off: false });
});
