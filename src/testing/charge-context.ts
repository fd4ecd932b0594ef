import type { BeforeCharge } from '../billing/hook.ts';
import { frozen } from './frozen.ts';

/** A context in part: what is left out is as `chargeContext()` has it. */
export type ChargeOverrides = {
  readonly [Part in keyof BeforeCharge]?: BeforeCharge[Part] extends readonly unknown[] | string | number | boolean
    ? BeforeCharge[Part]
    : Partial<BeforeCharge[Part]>;
};

/**
 * What a before-hook is told, whole and frozen: the first attempt at the period from 31 January 2027 of a monthly plan at
 * ₩9,900 in Korea, on the instant at which it is due. What you give replaces it, part by part; prices follow one another:
 * `invoice.amount` and `invoice.ceiling` are `subscription.amount` unless you say otherwise.
 */
export function chargeContext(overrides: ChargeOverrides = {}): BeforeCharge {
  const subscription = { ...SUBSCRIPTION, ...overrides.subscription };
  const { amount, currency, name } = subscription;
  const ceiling = Math.max(amount, overrides.invoice?.amount ?? amount);
  const context: BeforeCharge = {
    hook: 'hook',
    idempotencyKey: 'testhooks0000000000000000000001:before',
    dryRun: false,
    now: '2027-01-31T01:00:00.000Z',
    ...overrides,
    subscription,
    customer: { ...CUSTOMER, ...overrides.customer },
    invoice: { ...INVOICE, amount, currency, name, ceiling, ...overrides.invoice },
    attempt: { number: 1, merchantUid: 'testhooks0000000000000000000001', ...overrides.attempt },
    previous: overrides.previous ?? [],
    channel: { name: 'default', pg: 'nice', mode: 'test', ...overrides.channel },
  };
  return frozen(structuredClone(context));
}

const SUBSCRIPTION: BeforeCharge['subscription'] = {
  id: 'sub-1',
  plan: 'monthly',
  name: '월 정기구독',
  amount: 9_900,
  currency: 'KRW',
  interval: 'month',
  intervalCount: 1,
  timezone: 'Asia/Seoul',
};

const CUSTOMER: BeforeCharge['customer'] = {
  id: 'member-1',
  name: '김하늘',
  email: 'haneul@example.com',
  tel: '010-0000-0000',
};

const INVOICE: Omit<BeforeCharge['invoice'], 'amount' | 'currency' | 'name' | 'ceiling'> = {
  id: '7a3b3bad-abfb-4608-b1d6-6a1b8405c569',
  period: '2027-01-31',
  periodNumber: 1,
  periodStart: '2027-01-31T01:00:00.000Z',
  periodEnd: '2027-02-28T01:00:00.000Z',
  dueAt: '2027-01-31T01:00:00.000Z',
  taxFree: 0,
  vat: null,
};
