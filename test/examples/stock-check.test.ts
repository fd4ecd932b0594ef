import { expect, test } from '@jest/globals';
import { chargeContext, runBeforeHook } from 'maedal/testing';
import { stockCheck } from '../../examples/hooks/stock-check.ts';
import { openShop } from './shop.ts';

const shop = openShop();
const hook = () => stockCheck({ warehouseUrl: shop().url, goods: { monthly: 'beans' } });

test('what is in stock is charged', async () => {
  shop().answer = { status: 200, body: { available: 3 } };
  expect(await runBeforeHook(hook(), chargeContext())).toMatchObject({ answer: { kind: 'proceed' } });
  expect(shop().asked).toMatchObject([{ path: '/stock/beans' }]);
});

test('what is out of stock waits for a day', async () => {
  shop().answer = { status: 200, body: { available: 0 } };
  const run = await runBeforeHook(hook(), chargeContext({ now: '2027-01-31T01:00:07.000Z' }));
  expect(run).toMatchObject({ answer: { kind: 'defer', until: '2027-02-01T01:00:07.000Z' } });
});

test('a plan that ships nothing asks for no stock', async () => {
  const run = await runBeforeHook(hook(), chargeContext({ subscription: { plan: null } }));
  expect(run).toMatchObject({ answer: { kind: 'proceed' } });
  expect(shop().asked).toEqual([]);
});

test.each([
  [502, {}],
  [200, { available: null }],
])('a warehouse that answers %i %j is asked again', async (status, body) => {
  shop().answer = { status, body };
  expect(await runBeforeHook(hook(), chargeContext())).toMatchObject({ kind: 'failed', follows: 'defer' });
});
