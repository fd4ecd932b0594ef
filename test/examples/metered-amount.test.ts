import { expect, test } from '@jest/globals';
import { chargeContext, runBeforeHook, virtualClock } from 'maedal/testing';
import { meteredAmount } from '../../examples/hooks/metered-amount.ts';
import { openShop } from './shop.ts';

const shop = openShop();
const plan = { plan: 'api-monthly', amount: 10_000 };
const context = chargeContext({ subscription: plan, invoice: { ceiling: 300_000 } });
const hook = () =>
  meteredAmount({
    meterUrl: shop().url,
    token: 'meter-token',
    plan: 'api-monthly',
    includedUnits: 1_000,
    pricePerUnit: 5,
  });

test.each([
  [400, 10_000],
  [1_000, 10_000],
  [1_240, 11_200],
])('%i units cost ₩%i', async (units, amount) => {
  shop().answer = { status: 200, body: { units } };
  const run = await runBeforeHook(hook(), context);
  expect(run).toMatchObject({ kind: 'answered', answer: { kind: 'adjust', amount, customData: { units } } });
});

test('it asks for what was used before the period, with its token', async () => {
  shop().answer = { status: 200, body: { units: 0 } };
  await runBeforeHook(hook(), context);
  expect(shop().asked).toMatchObject([
    {
      path: '/usage?subscription=sub-1&before=2027-01-31T01%3A00%3A00.000Z',
      headers: { authorization: 'Bearer meter-token' },
    },
  ]);
});

test('what is above the ceiling is answered all the same, with a line for whoever finds the invoice held', async () => {
  shop().answer = { status: 200, body: { units: 100_000 } };
  const run = await runBeforeHook(hook(), context);
  expect(run).toMatchObject({ kind: 'answered', answer: { amount: 505_000 } });
  expect(run.lines).toMatchObject([{ level: 'warn', fields: { amount: 505_000, ceiling: 300_000 } }]);
});

test('other plans, and what was sent once, do not ask the meter', async () => {
  const declined = { number: 1, outcome: 'declined', declineClass: 'funds', reason: null, answeredAt: null } as const;
  const sent = { ...declined, sentAt: '2027-01-31T01:00:00.000Z' };
  const others = [chargeContext(), chargeContext({ subscription: plan, previous: [sent] })];
  for (const other of others) {
    expect(await runBeforeHook(hook(), other)).toMatchObject({ answer: { kind: 'proceed' } });
  }
  expect(shop().asked).toEqual([]);
});

test.each([
  [503, {}, 'it threw: the meter answered 503'],
  [200, { units: '12' }, 'it threw: the meter answered {"units":"12"}'],
])('a meter that answers %i %j defers the charge', async (status, body, reason) => {
  shop().answer = { status, body };
  expect(await runBeforeHook(hook(), context)).toMatchObject({ kind: 'failed', reason, follows: 'defer' });
});

test('a meter that never answers defers the charge after five seconds', async () => {
  const clock = virtualClock();
  const running = runBeforeHook(hook(), context, { clock });
  clock.advance(5_000);
  expect(await running).toMatchObject({
    kind: 'failed',
    reason: 'it did not answer within 5000 ms',
    follows: 'defer',
  });
});
