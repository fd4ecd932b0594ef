import { afterEach, expect, test } from '@jest/globals';
import { parseInvoiceId } from '../../src/billing/ids.ts';
import { orderIntervention } from '../../src/operator/intervene.ts';
import { forecast } from '../../src/simulate/forecast.ts';
import { dunned, GIVES_UP, SAID } from '../support/dunned.ts';
import { invoicesOf, newWorld, type World } from '../support/world.ts';
import { configWith, seoul, serverUrl } from './play.ts';

let world: World;
afterEach(() => world.end());

test('what was given up and is tried again holds up the next periods in a forecast as it does live', async () => {
  world = await newWorld();
  const { owing, deps, days, minutes } = dunned(() => world);
  const id = await owing({ ...GIVES_UP, perCard: { declines: 1, days: 60 } }, 'decline');
  await world.advance({ days: 27, hours: 20 });
  const [givenUp] = await invoicesOf(world, id);
  await orderIntervention(deps(), parseInvoiceId(givenUp?.id ?? ''), 'retry', SAID); // its card may go in April
  await minutes(3);
  await world.advance({ hours: 6 });
  await minutes(1);
  const { attempts } = await forecast({
    ...{ config: await configWith(), serverUrl: serverUrl(), liveUrl: world.database.url },
    ...{ until: seoul('2027-04-20'), report: () => undefined },
  });
  await days(32);
  await minutes(5);
  const live = (await invoicesOf(world, id)).map(({ period_key, state, paid_at }) => [
    period_key,
    state,
    dayOf(paid_at),
  ]);
  expect(live).toEqual([
    ['2027-01-31', 'paid', '2027-04-01'],
    ['2027-02-28', 'held', null],
    ['2027-03-31', 'paid', '2027-04-01'],
  ]);
  const foreseen = attempts.map(({ periodKey, invoiceState, invoicePaidAt }) => [
    periodKey,
    invoiceState,
    dayOf(invoicePaidAt),
  ]);
  expect(foreseen.sort()).toEqual(live);
});

function dayOf(at: Date | null): string | null {
  return at?.toISOString().slice(0, 10) ?? null;
}
