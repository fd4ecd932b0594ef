import { expect, test } from '@jest/globals';
import type { DunningPolicy } from '../../src/billing/policy.ts';
import { policyInWords } from '../../src/operator/policy-in-words.ts';

const OLD: DunningPolicy = { retryAfterDays: [1, 3, 5], minGapHours: 24 };

const CONFIG_IS_HELD = '; where the last decline is for config, it is held, and the subscription stays past due.';

test('a policy of before classes says how often, and how that ends', () => {
  expect(policyInWords(OLD)).toEqual([
    'After a decline: again 1, 3, 5 days after the due date, at least 24 hours after the last attempt on a card.',
    `Then it is uncollectible, and the subscription is unpaid${CONFIG_IS_HELD}`,
  ]);
  expect(policyInWords({ ...OLD, retryAfterDays: [], minGapHours: 0.5 })[0]).toBe(
    'After a decline: never again, at least 30 minutes after the last attempt on a card.',
  );
});

test.each<[Partial<DunningPolicy>, string]>([
  [{ end: 'pause' }, `Then it is uncollectible, and the subscription is paused${CONFIG_IS_HELD}`],
  [{ end: 'cancel' }, `Then it is uncollectible, and the subscription is canceled${CONFIG_IS_HELD}`],
  [{ end: 'write_off' }, `Then it is uncollectible and written off, and the subscription goes on${CONFIG_IS_HELD}`],
  [{ later: 'accumulate' }, `Then it is uncollectible, and the subscription stays past due${CONFIG_IS_HELD}`],
  [
    { classes: { config: { retryAfterDays: [], card: 'other' } } },
    `Then it is uncollectible, and the subscription is unpaid${CONFIG_IS_HELD}`,
  ],
])('the end is said as it will be: %j', (policy, expected) => {
  expect(policyInWords({ ...OLD, classes: {}, ...policy }).at(-1)).toBe(expected);
});

test('classes that are treated alike stand together, and every bound is said', () => {
  const same = { retryAfterDays: [1, 'payday', 'payday'], card: 'same' } as const;
  const policy: DunningPolicy = {
    ...OLD,
    classes: {
      ...{ funds: { retryAfterDays: [1], card: 'next' }, time: same, verify: same, config: same },
      ...{ card: { retryAfterDays: [], card: 'other' }, key: { retryAfterDays: [], card: 'other' } },
      ...{ fraud: { retryAfterDays: [], card: 'other' }, other: { retryAfterDays: ['payday'], card: 'same' } },
    },
    window: { from: '09:00', until: '21:00', timezone: 'Asia/Seoul' },
    perCard: { declines: 20, days: 30 },
    waitForCardDays: 7,
    steps: [
      { name: 'told', afterDays: 0 },
      { name: 'locked', afterDays: 4, access: 'suspended' },
    ],
    end: 'cancel',
  };
  expect(policyInWords(policy)).toEqual([
    'After a decline for funds: another card of the payer’s at once, and again 1 day after the due date.',
    'After a decline for card, key, fraud: never that card again; another one at once, or it waits for one.',
    'After a decline for time, verify, config: again 1 day after the due date, on the next 2 paydays.',
    'After a decline for other: again on the next payday.',
    'At least 24 hours after the last attempt on a card, from 09:00 to 21:00 in Asia/Seoul. Another card is waited for 7 days. A card is declined at most 20 times in 30 days.',
    'Steps: told on day 0, locked on day 4 (suspended).',
    `Then it is uncollectible, and the subscription is canceled${CONFIG_IS_HELD}`,
  ]);
});
