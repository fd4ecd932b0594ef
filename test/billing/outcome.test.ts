import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ChargeAnswer, PaymentRecord } from '../../src/billing/charge.ts';
import type { MerchantUid } from '../../src/billing/ids.ts';
import { type Asked, judgeAnswer, judgeLookUp, judgeRecords, judgeRefusal } from '../../src/billing/outcome.ts';

const asked: Asked = {
  customerUid: 'card-1',
  amount: { minor: 9_900, currency: 'KRW' },
  sandbox: true,
  sends: 1,
  horizon: 'open',
  seenBefore: new Set(),
};

function record(fields: Partial<PaymentRecord> = {}): PaymentRecord {
  return {
    impUid: 'imps_000000000001',
    merchantUid: 'uid' as MerchantUid,
    status: 'paid',
    amount: asked.amount,
    cancelMinor: 0,
    customerUid: asked.customerUid,
    sandbox: true,
    decline: null,
    startedAtMs: 1,
    paidAtMs: 1,
    failedAtMs: null,
    raw: {},
    ...fields,
  };
}

const failed = (impUid = 'imps_000000000009') =>
  record({ impUid, status: 'failed', decline: { class: 'funds', reason: '한도초과' } });

test.each([
  ['another amount', { amount: { minor: 9_901, currency: 'KRW' } }],
  ['another currency', { amount: { minor: 9_900, currency: 'USD' } }],
  ['an amount that cannot be read', { amount: null }],
  ['another card', { customerUid: 'card-2' }],
  ['a live payment in a test', { sandbox: false }],
] as const)('paid with %s is for a person to look at, never paid', (_name, difference) => {
  expect(judgeRecords([record(difference)], asked).kind).toBe('review');
});

test.each([
  ['live', false, 'it is a test payment'],
  ['test', true, 'it is a live payment'],
])('in a %s account a payment of the other kind is for a person, who is told so', (_account, sandbox, words) => {
  const reason = `imps_000000000001 was paid, but ${words}`;
  expect(judgeRecords([record({ sandbox: !sandbox })], { ...asked, sandbox })).toEqual({ kind: 'review', reason });
});

test('paid as asked is paid', () => {
  expect(judgeRecords([record()], asked)).toEqual({ kind: 'paid', record: record() });
});

test('paid wins over a failed record, whatever the order', () => {
  expect(judgeRecords([failed(), record()], asked).kind).toBe('paid');
  expect(judgeRecords([record(), failed()], asked).kind).toBe('paid');
});

test('of two captures of one id the earlier one counts, whatever the order; the other is accounted for by itself', () => {
  const later = record({ impUid: 'imps_000000000002', paidAtMs: 2 });
  expect(judgeRecords([later, record()], asked)).toEqual({ kind: 'paid', record: record() });
  expect(judgeRecords([record(), later], asked)).toEqual({ kind: 'paid', record: record() });
});

test('a capture as asked counts before an earlier one that is not', () => {
  const wrong = record({ impUid: 'imps_000000000000', paidAtMs: 0, customerUid: 'card-2' });
  expect(judgeRecords([wrong, record()], asked)).toEqual({ kind: 'paid', record: record() });
});

test('of two captures of one instant the lower number counts, and one without an instant is the earliest', () => {
  const second = record({ impUid: 'imps_000000000002' });
  expect(judgeRecords([second, record()], asked)).toEqual({ kind: 'paid', record: record() });
  const untimed = record({ impUid: 'imps_000000000002', paidAtMs: null });
  expect(judgeRecords([untimed, record()], asked)).toEqual({ kind: 'paid', record: untimed });
  expect(judgeRecords([record(), untimed], asked)).toEqual({ kind: 'paid', record: untimed });
});

test('a payment cancelled at the gateway is for a person to look at', () => {
  expect(judgeRecords([record({ status: 'cancelled' })], asked).kind).toBe('review');
});

test('as many failed records as sends are a decline; fewer leave a slower send open', () => {
  expect(judgeRecords([failed()], asked)).toMatchObject({ kind: 'declined', decline: { class: 'funds' } });
  expect(judgeRecords([failed()], { ...asked, sends: 2 }).kind).toBe('unknown');
  expect(judgeRecords([failed('a'), failed('b')], { ...asked, sends: 2 }).kind).toBe('declined');
});

test('of several failed records the one begun last says why; one without an instant was begun first', () => {
  const first = record({ ...failed('a'), startedAtMs: 1, decline: { class: 'time', reason: '점검 중' } });
  const last = record({ ...failed('b'), startedAtMs: 2 });
  const untimed = record({ ...failed('c'), startedAtMs: null });
  for (const records of [
    [first, last],
    [last, first],
    [untimed, last],
    [last, untimed],
  ])
    expect(judgeRecords(records, { ...asked, sends: 2 })).toMatchObject({ kind: 'declined', impUid: 'b' });
});

test('a decline without a word is one all the same, and where there is no record nothing is decided', () => {
  const unsaid = { class: 'other', reason: 'the gateway gave no reason' };
  expect(judgeRecords([record({ ...failed(), decline: null })], asked)).toMatchObject({ decline: unsaid });
  expect(judgeRecords([], asked)).toEqual({ kind: 'unknown', reason: 'the gateway showed no payment' });
});

test('what the payment company cannot say is looked up, and a decline once nothing may land any more', () => {
  const unsaid = [record({ ...failed(), decline: { class: 'verify', reason: '거래 확인 요망' } })];
  const reason = 'the payment company cannot say what became of it: 거래 확인 요망';
  expect(judgeRecords(unsaid, asked)).toEqual({ kind: 'unknown', reason });
  expect(judgeRecords(unsaid, { ...asked, horizon: 'over' })).toMatchObject({ decline: { class: 'verify' } });
});

test('fewer failed records than sends are a decline once nothing may land any more; what they leave unanswered is told', () => {
  const over = { ...asked, sends: 2, horizon: 'over' } as const;
  expect(judgeRecords([failed()], over)).toMatchObject({ kind: 'declined', unanswered: 1 });
  expect(judgeRecords([failed(), record({ impUid: 'r', status: 'ready' })], over).kind).toBe('unknown');
  expect(judgeRecords([failed('a'), failed('b')], over)).toMatchObject({ kind: 'declined', unanswered: 0 });
});

test('a refusal of the second send leaves the first one unanswered', () => {
  const second = { ...asked, sends: 2 };
  expect(judgeRefusal(refusal(false), { kind: 'absent' }, second)).toMatchObject({ kind: 'rejected', unanswered: 1 });
});

test('a failed record from before the send answers nothing', () => {
  expect(judgeRecords([failed()], { ...asked, seenBefore: new Set([failed().impUid]) }).kind).toBe('unknown');
  expect(judgeRecords([failed()], { ...asked, sends: 0 }).kind).toBe('unknown');
});

test.each(['ready', 'other'] as const)('%s is not decided', (status) => {
  expect(judgeRecords([record({ status })], asked).kind).toBe('unknown');
});

test('"never heard of it" is told apart from no answer at all, and neither is a failure', () => {
  expect(judgeLookUp({ kind: 'absent' }, asked).kind).toBe('not-found');
  expect(judgeLookUp({ kind: 'unclear', reason: 'down' }, asked)).toEqual({ kind: 'unknown', reason: 'down' });
});

const refusal = (duplicate: boolean) =>
  ({ kind: 'refused', duplicate, decline: { class: 'funds', reason: '[2116]' } }) satisfies ChargeAnswer;

test.each([
  // refused, what the look-up says, what it came to
  ['in plain words', refusal(false), { kind: 'absent' }, 'rejected'],
  ['in plain words', refusal(false), { kind: 'found', records: [failed()] }, 'declined'],
  ['in plain words', refusal(false), { kind: 'found', records: [record()] }, 'paid'],
  ['in plain words', refusal(false), { kind: 'found', records: [record({ status: 'ready' })] }, 'unknown'],
  ['in plain words', refusal(false), { kind: 'unclear', reason: 'down' }, 'unknown'],
  ['as a repeated id', refusal(true), { kind: 'found', records: [record()] }, 'paid'],
  ['as a repeated id', refusal(true), { kind: 'absent' }, 'unknown'],
  ['as a repeated id', refusal(true), { kind: 'found', records: [record({ status: 'cancelled' })] }, 'review'],
] as const)('refused %s, with a look-up %#: only what the look-up agrees to', (_how, answer, lookUp, kind) => {
  expect(judgeRefusal(answer, lookUp, asked).kind).toBe(kind);
});

test.each([
  ['paid', 'paid', { kind: 'paid', record: record() }],
  ['paid, by another card', 'review', { kind: 'paid', record: record({ customerUid: 'card-2' }) }],
  ['declined', 'declined', { kind: 'declined', record: failed(), decline: { class: 'funds', reason: '한도초과' } }],
] as const)('an answer that says "%s" is held against what was asked, as any record is: %s', (_says, kind, answer) => {
  expect(judgeAnswer(answer, asked).kind).toBe(kind);
});

test('a lost answer is unknown, a connection never made is not sent', () => {
  expect(judgeAnswer({ kind: 'unknown', reason: 'reset' }, asked)).toEqual({ kind: 'unknown', reason: 'reset' });
  const slowed = { kind: 'unknown', reason: 'answered HTTP 429', restSeconds: 7 } as const;
  expect(judgeAnswer(slowed, asked)).toEqual(slowed);
  expect(judgeAnswer({ kind: 'not-sent', reason: 'refused' }, asked)).toEqual({ kind: 'not-sent', reason: 'refused' });
});

test('whatever the records, the order does not matter, and nothing but a capture as asked is paid', () => {
  const statuses = fc.constantFrom('ready', 'paid', 'failed', 'cancelled', 'other') as fc.Arbitrary<
    PaymentRecord['status']
  >;
  const records = fc.uniqueArray(
    fc.record({ status: statuses, impUid: fc.nat(9).map(String), minor: fc.constantFrom(9_900, 1) }),
    {
      selector: ({ impUid }) => impUid,
    },
  );
  fc.assert(
    fc.property(records, fc.nat(3), (some, sends) => {
      const all = some.map(({ status, impUid, minor }) =>
        record({ status, impUid, amount: { minor, currency: 'KRW' } }),
      );
      const outcome = judgeRecords(all, { ...asked, sends });
      expect(judgeRecords(all.toReversed(), { ...asked, sends }).kind).toBe(outcome.kind);
      const captures = all.filter(({ status }) => status === 'paid');
      expect(outcome.kind === 'paid').toBe(captures.some(({ amount }) => amount?.minor === 9_900));
    }),
  );
});
