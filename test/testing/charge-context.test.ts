import { expect, test } from '@jest/globals';
import { chargeContext, event } from '../../src/testing.ts';

test('a context is whole: a due first attempt at the price of the plan', () => {
  const { subscription, invoice, attempt, previous } = chargeContext();
  expect(invoice).toMatchObject({ amount: 9_900, ceiling: 9_900, currency: 'KRW', name: subscription.name });
  expect(attempt.number).toBe(1);
  expect(previous).toEqual([]);
});

test('what is given replaces what is there, and prices follow it', () => {
  const { subscription, invoice, customer } = chargeContext({
    subscription: { amount: 990, currency: 'USD', name: 'Monthly' },
    customer: { email: null },
  });
  expect(invoice).toMatchObject({ amount: 990, ceiling: 990, currency: 'USD', name: 'Monthly' });
  expect(subscription.interval).toBe('month');
  expect(customer).toMatchObject({ id: 'member-1', email: null });
});

test('a ceiling or an amount of the invoice stands as it is given', () => {
  expect(chargeContext({ invoice: { ceiling: 300_000 } }).invoice).toMatchObject({ amount: 9_900, ceiling: 300_000 });
  expect(chargeContext({ invoice: { amount: 6_930 } }).invoice).toMatchObject({ amount: 6_930, ceiling: 9_900 });
});

test.each([
  ['a context', () => chargeContext({ previous: [declined] }), ['invoice', 'previous']],
  ['an event', () => event('charge.succeeded'), ['data']],
])('%s is frozen to its depths, and a copy', (_, build, parts) => {
  const built: Readonly<Record<string, unknown>> = build();
  expect(Object.isFrozen(built)).toBe(true);
  for (const part of parts) expect(Object.isFrozen(built[part])).toBe(true);
  expect(Object.isFrozen(declined)).toBe(false);
});

test('an event is of the subscription and the invoice of the context, and says what it is given', () => {
  const { subscription, invoice } = chargeContext();
  expect(event('charge.failed', { reason: '[2116]' }, { id: 'evt_9' })).toMatchObject({
    id: 'evt_9',
    type: 'charge.failed',
    data: { subscription_id: subscription.id, invoice_id: invoice.id, amount: invoice.amount, reason: '[2116]' },
  });
});

const declined = {
  number: 1,
  outcome: 'declined',
  declineClass: 'funds',
  reason: '[2116]',
  sentAt: null,
  answeredAt: null,
};
