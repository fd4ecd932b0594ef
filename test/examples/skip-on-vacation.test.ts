import { expect, test } from '@jest/globals';
import { chargeContext, runBeforeHook } from 'maedal/testing';
import { skipOnVacation } from '../../examples/hooks/skip-on-vacation.ts';
import { openShop } from './shop.ts';

const shop = openShop();

test.each([
  ['2027-01-20', '2027-02-10', 'skip'],
  ['2027-01-31', '2027-02-01', 'skip'],
  ['2027-01-20', '2027-01-31', 'proceed'],
  ['2027-02-01', '2027-02-10', 'proceed'],
])('of a member away from %s until %s the period from 2027-01-31: %s', async (from, until, kind) => {
  shop().answer = { status: 200, body: { from, until } };
  const run = await runBeforeHook(skipOnVacation({ shopUrl: shop().url }), chargeContext());
  expect(run).toMatchObject({ kind: 'answered', answer: { kind } });
  expect(shop().asked).toMatchObject([{ path: '/members/member-1/vacation' }]);
});

test('a member with no vacation is charged', async () => {
  shop().answer = { status: 404, body: {} };
  const run = await runBeforeHook(skipOnVacation({ shopUrl: shop().url }), chargeContext());
  expect(run).toMatchObject({ answer: { kind: 'proceed' } });
});

test.each([
  [500, {}],
  [200, { from: 'tomorrow', until: '2027-02-10' }],
])('a shop that answers %i %j skips nothing: it is asked again', async (status, body) => {
  shop().answer = { status, body };
  const run = await runBeforeHook(skipOnVacation({ shopUrl: shop().url }), chargeContext());
  expect(run).toMatchObject({ kind: 'failed', follows: 'defer' });
});
