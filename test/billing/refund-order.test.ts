import { expect, test } from '@jest/globals';
import { InputError } from '../../src/billing/errors.ts';
import { orderRefund, type Refundable } from '../../src/billing/refund-order.ts';

const won = (minor: number) => ({ minor, currency: 'KRW' });
const payment = (fields: Partial<Refundable> = {}): Refundable => ({
  impUid: 'imps_1',
  captured: won(9_900),
  cancelledMinor: 0,
  standing: 'settles',
  open: null,
  ...fields,
});
const double = payment({ impUid: 'imps_2', standing: 'surplus', open: { id: 'r2', stage: 'proposed' } });
const whole = { impUid: 'imps_1', amount: won(9_900), checksum: won(9_900) };
const PAID = { state: 'paid' };

test.each<[string, string, Refundable[], string | null, unknown]>([
  ['a paid invoice', 'paid', [payment()], null, { approve: [], begin: [whole] }],
  ['a part of it', 'paid', [payment()], '3000', { approve: [], begin: [{ ...whole, amount: won(3_000) }] }],
  [
    'what is left of it',
    'paid',
    [payment({ cancelledMinor: 3_000 })],
    null,
    { approve: [], begin: [{ ...whole, amount: won(6_900), checksum: won(6_900) }] },
  ],
  [
    'a double is meant before the payment that settled',
    'paid',
    [payment(), double],
    null,
    { approve: ['r2'], begin: [] },
  ],
  ['what was put up for a void invoice', 'void', [double], null, { approve: ['r2'], begin: [] }],
  [
    'a double whose refund failed before begins anew',
    'paid',
    [payment(), { ...double, open: null }],
    null,
    { approve: [], begin: [{ ...whole, impUid: 'imps_2' }] },
  ],
  [
    'a double that was given back is no reason',
    'paid',
    [payment(), { ...double, open: null, cancelledMinor: 9_900 }],
    null,
    { approve: [], begin: [whole] },
  ],
])('%s', (_, state, payments, amount, expected) => {
  expect(orderRefund({ state }, payments, { amount, impUid: null })).toEqual(expected);
});

const underWay = { id: 'r', stage: 'under-way' } as const;
test.each<[string, string, Refundable[], string | null, RegExp]>([
  ['an open invoice', 'open', [], null, /the invoice is open; only what it was paid with can be refunded/],
  ['a refunded one', 'refunded', [payment({ cancelledMinor: 9_900 })], null, /the invoice is refunded/],
  ['one in review of which nothing was taken', 'review', [], null, /the invoice is review/],
  [
    'one of several in review',
    'review',
    [payment({ standing: 'other' }), payment({ standing: 'other', impUid: 'imps_2' })],
    null,
    /imps_1, imps_2 were captured for it/,
  ],
  [
    'a payment of which nothing is left',
    'paid',
    [payment({ cancelledMinor: 9_900 })],
    null,
    /nothing is left of imps_1/,
  ],
  ['a second refund beside the first', 'paid', [payment({ open: underWay })], null, /imps_1 is being refunded already/],
  [
    'the payment while a double is under way',
    'paid',
    [payment(), { ...double, open: underWay }],
    null,
    /imps_2 is being/,
  ],
  ['a part of a double', 'paid', [payment(), double], '100', /--amount is for the payment that settled.*imps_2/],
  ['more than there is', 'paid', [payment({ cancelledMinor: 9_000 })], '901', /901 cannot.*more than the 900 KRW left/],
  ['nothing', 'paid', [payment()], '0', /0 cannot be given back/],
  ['no amount', 'paid', [payment()], '1,000', /'1,000' is not an amount/],
  ['half a won', 'paid', [payment()], '0.5', /too many decimals/],
])('refuses %s and says what to do', (_, state, payments, amount, words) => {
  expect(() => orderRefund({ state }, payments, { amount, impUid: null })).toThrow(InputError);
  expect(() => orderRefund({ state }, payments, { amount, impUid: null })).toThrow(words);
});

test('what is not at the gateway any more is not given back, and stands in the way of nothing else', () => {
  const gone = payment({ standing: 'gone' });
  expect(() => orderRefund({ state: 'review' }, [gone], { amount: null, impUid: 'imps_1' })).toThrow(
    /imps_1 is not at the gateway any more/,
  );
  expect(orderRefund(PAID, [gone, payment({ impUid: 'imps_2' })], { amount: null, impUid: null }).begin).toMatchObject([
    { impUid: 'imps_2' },
  ]);
});

test('amounts are written in major units', () => {
  const dollars = payment({ captured: { minor: 990, currency: 'USD' } });
  expect(orderRefund(PAID, [dollars], { amount: '1.50', impUid: null }).begin[0]?.amount).toEqual({
    minor: 150,
    currency: 'USD',
  });
});

test('what an invoice in review was charged for is given back, the one that is named where there are several', () => {
  const taken = [payment({ standing: 'other' }), payment({ standing: 'other', impUid: 'imps_2' })];
  const begin = [{ impUid: 'imps_2', amount: whole.amount, checksum: whole.checksum }];
  expect(orderRefund({ state: 'review' }, taken, { amount: null, impUid: 'imps_2' })).toEqual({ approve: [], begin });
  expect(orderRefund({ state: 'review' }, taken.slice(1), { amount: null, impUid: null })).toEqual({
    approve: [],
    begin,
  });
  expect(() => orderRefund({ state: 'review' }, taken, { amount: null, impUid: 'imps_3' })).toThrow(
    /imps_3 was not captured for this invoice; name one of imps_1, imps_2/,
  );
  expect(() => orderRefund({ state: 'review' }, [], { amount: null, impUid: 'imps_3' })).toThrow(/; name one of none/);
});
