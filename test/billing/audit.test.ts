import { expect, test } from '@jest/globals';
import { type Held, judgeListed } from '../../src/billing/audit.ts';
import type { ListedPayment } from '../../src/billing/charge.ts';

const OURS = { installation: 'abcd', sandbox: true };
const OUR_UID = `abcd${'a'.repeat(26)}00`;
const amount = { minor: 9_900, currency: 'KRW' };

function listed(fields: Partial<ListedPayment> = {}): ListedPayment {
  return {
    impUid: 'imps_1',
    merchantUid: OUR_UID,
    status: 'paid',
    amount,
    cancelMinor: 0,
    customerUid: 'card-1',
    sandbox: true,
    decline: null,
    startedAtMs: 1,
    paidAtMs: 2,
    failedAtMs: null,
    raw: {},
    subscription: null,
    usage: 'payment',
    ...fields,
  };
}

const nothing: Held = {
  attempt: null,
  seen: null,
  refundMinor: 0,
  key: 'foreign',
  subscription: 'unknown',
  isAcknowledged: false,
};
const attempt = (fields: Partial<NonNullable<Held['attempt']>> = {}): Held => ({
  ...nothing,
  key: 'ours',
  attempt: { state: 'paid', impUid: 'imps_1', hold: 'free', asked: { customerUid: 'card-1', amount }, ...fields },
});
const seen = (status: string, cancelMinor = 0, account: 'due' | 'done' = 'done') => ({ status, cancelMinor, account });
const verdict = (payment: ListedPayment, held: Held) => judgeListed(payment, held, OURS).kind;

test.each<[string, Partial<ListedPayment>, Partial<Held>, string]>([
  ['our form of id and no attempt', {}, {}, 'unknown'],
  ['the same, of the other environment: a prefix belongs to one installation', { sandbox: false }, {}, 'unknown'],
  ['the same, cancelled: its row is still missing', { status: 'cancelled', cancelMinor: 9_900 }, {}, 'unknown'],
  ['the same, looked at by a person', {}, { isAcknowledged: true }, 'agrees'],
  ['a foreign id that only begins as ours do', { merchantUid: 'abcd-order-77' }, {}, 'not-ours'],
  [
    'a foreign id for a subscription of ours, on a card of ours',
    { merchantUid: 'x', subscription: 's' },
    { subscription: 'ours', key: 'ours' },
    'unknown',
  ],
  [
    'the same on a card of a stranger, who may name what he likes',
    { merchantUid: 'x', subscription: 's' },
    { subscription: 'ours' },
    'foreign',
  ],
  [
    'the same from the other environment: a copy may charge test cards',
    { merchantUid: 'x', subscription: 's', sandbox: false },
    { subscription: 'ours', key: 'ours' },
    'not-ours',
  ],
  ['a foreign id for somebody else', { merchantUid: 'x', subscription: 's' }, {}, 'not-ours'],
  ['a foreign id on a card of ours', { merchantUid: 'x', usage: 'payment.scheduled' }, { key: 'ours' }, 'foreign'],
  ['a payment made when the card was stored', { merchantUid: 'x', usage: 'issue' }, { key: 'ours' }, 'not-ours'],
  [
    'a foreign one given back whole',
    { merchantUid: 'x', status: 'cancelled', cancelMinor: 9_900 },
    { key: 'ours' },
    'not-ours',
  ],
  [
    'a foreign one given back in part',
    { merchantUid: 'x', status: 'cancelled', cancelMinor: 1 },
    { key: 'ours' },
    'foreign',
  ],
])('without an attempt, %s', (_, payment, held, kind) => {
  expect(verdict(listed(payment), { ...nothing, ...held })).toBe(kind);
});

test.each<[string, Partial<ListedPayment>, Held, string]>([
  ['paid by it, as asked', {}, attempt(), 'agrees'],
  ['paid by it, for another amount', { amount: { minor: 1, currency: 'KRW' } }, attempt(), 'different'],
  ['paid by it, in another currency', { amount: { minor: 9_900, currency: 'USD' } }, attempt(), 'different'],
  ['paid by it, from another card', { customerUid: 'card-2' }, attempt(), 'different'],
  ['paid by it, of the other environment', { sandbox: false }, attempt(), 'different'],
  ['paid by another payment', {}, attempt({ impUid: 'imps_2' }), 'uncounted'],
  ['paid by another payment, which is known', {}, { ...attempt({ impUid: 'imps_2' }), seen: seen('paid') }, 'agrees'],
  ['declined', {}, attempt({ state: 'declined', impUid: null }), 'uncounted'],
  ['unknown', {}, attempt({ state: 'unknown', impUid: null }), 'uncounted'],
  ['in the hands of a worker', {}, attempt({ state: 'sent', impUid: null, hold: 'leased' }), 'agrees'],
  ['unknown, and just seen', {}, { ...attempt({ state: 'unknown' }), seen: seen('paid') }, 'agrees'],
  ['seen failed, now paid', {}, { ...attempt({ state: 'declined' }), seen: seen('failed') }, 'uncounted'],
  [
    'cancelled behind our back',
    { status: 'cancelled', cancelMinor: 9_900 },
    { ...attempt(), seen: seen('paid') },
    'uncounted',
  ],
  [
    'cancelled in full, as we know, and paid by it all the same',
    { status: 'cancelled', cancelMinor: 9_900 },
    { ...attempt(), seen: seen('cancelled', 9_900) },
    'uncounted',
  ],
  [
    'the same, and about to be accounted for',
    { status: 'cancelled', cancelMinor: 9_900 },
    { ...attempt(), seen: seen('cancelled', 9_900, 'due') },
    'agrees',
  ],
  [
    'given back by us',
    { status: 'cancelled', cancelMinor: 9_900 },
    { ...attempt(), seen: seen('cancelled', 9_900), refundMinor: 9_900 },
    'agrees',
  ],
  [
    'cancelled, as we know, and with a person',
    { status: 'cancelled', cancelMinor: 9_900 },
    { ...attempt({ state: 'review' }), seen: seen('cancelled', 9_900) },
    'agrees',
  ],
  [
    'cancelled in part, as we know',
    { status: 'cancelled', cancelMinor: 100 },
    { ...attempt(), seen: seen('cancelled', 100) },
    'agrees',
  ],
  [
    'cancelled by more than we know',
    { status: 'cancelled', cancelMinor: 9_900 },
    { ...attempt(), seen: seen('cancelled', 100) },
    'uncounted',
  ],
])('of an attempt that is %s', (_, payment, held, kind) => {
  expect(verdict(listed(payment), held)).toBe(kind);
});

test.each([
  ['payment.scheduled', 'was taken from a card of ours, and not by maedal (payment.scheduled)'],
  [null, 'was taken from a card of ours, and not by maedal (no origin)'],
])('what somebody else took from a card of ours says what made it: %s', (usage, reason) => {
  const foreign = listed({ merchantUid: 'x', usage });
  expect(judgeListed(foreign, { ...nothing, key: 'ours' }, OURS)).toEqual({ kind: 'foreign', reason });
});
