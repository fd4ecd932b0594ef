import { expect, test } from '@jest/globals';
import { chargeContext, runBeforeHook } from 'maedal/testing';
import { threeMonthsCoupon } from '../../examples/hooks/three-months-coupon.ts';

const hook = threeMonthsCoupon({ percentOff: 30, subscriptions: new Set(['sub-1']) });

test.each([1, 2, 3])('month %i costs 30 %% less, and its name says so', async (periodNumber) => {
  const run = await runBeforeHook(hook, chargeContext({ invoice: { periodNumber } }));
  const name = `월 정기구독 쿠폰 ${periodNumber}/3`;
  expect(run).toMatchObject({ answer: { kind: 'adjust', amount: 6_930, name } });
});

test('the fourth month costs what the plan says', async () => {
  const run = await runBeforeHook(hook, chargeContext({ invoice: { periodNumber: 4 } }));
  expect(run).toMatchObject({ answer: { kind: 'proceed' } });
});

test('a second attempt takes nothing off once more', async () => {
  const run = await runBeforeHook(hook, chargeContext({ invoice: { amount: 6_930 }, attempt: { number: 2 } }));
  expect(run).toMatchObject({ answer: { amount: 6_930 } });
});

test('who came without the coupon pays in full', async () => {
  const run = await runBeforeHook(hook, chargeContext({ subscription: { id: 'sub-2' } }));
  expect(run).toMatchObject({ answer: { kind: 'proceed' } });
});
