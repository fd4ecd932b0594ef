import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import type { AttemptState } from '../../src/billing/attempt.ts';
import { type InvoiceStanding, type Judgement, judge, judgeProof, type Proof } from '../../src/billing/intervention.ts';

const now = DateTime.utc(2027, 1, 31, 1);
const standing = (fields: Partial<InvoiceStanding> = {}): InvoiceStanding => ({
  state: 'retrying',
  failures: 1,
  status: 'past_due',
  living: null,
  barredUntil: null,
  lastSentAt: now.minus({ days: 2 }),
  kept: [],
  returned: [],
  refunding: [],
  declinesAreFinal: true,
  minGapHours: 24,
  quarantineSeconds: 86_400,
  now,
  ...fields,
});
const living = (state: AttemptState, hold: 'leased' | 'free' = 'free') => ({ state, hold });
const says = (judgement: Judgement) => {
  if (judgement.kind === 'change') return judgement.change.invoice.state;
  return judgement.kind === 'refused' ? `refused: ${judgement.because}` : judgement.kind;
};

test.each([
  ['retry', 'retrying', null, 'retrying'],
  ['retry', 'retrying', living('prepared'), 'retrying'],
  ['retry', 'uncollectible', null, 'retrying'],
  ['retry', 'retrying', living('prepared', 'leased'), 'refused: a worker has a charge of it in hand'],
  ['retry', 'retrying', living('sent'), 'refused: a worker has a charge of it in hand'],
  ['retry', 'retrying', living('unknown'), 'look-up'],
  ['retry', 'held', null, 'refused: the invoice is held'],
  ['retry', 'review', living('review'), 'refused: the invoice is review'],
  ['retry', 'paid', living('paid'), 'refused: the invoice is paid'],
  ['retry', 'void', null, 'refused: the invoice is void'],
  ['release', 'held', null, 'retrying'],
  ['release', 'review', living('review'), 'retrying'],
  ['release', 'review', null, 'retrying'],
  ['release', 'review', living('review', 'leased'), 'refused: a worker has a charge of it in hand'],
  ['release', 'retrying', null, 'refused: the invoice is retrying, and waits for nobody'],
  ['release', 'uncollectible', null, 'refused: the invoice is uncollectible, and waits for nobody'],
  ['void', 'retrying', living('prepared'), 'void'],
  ['void', 'retrying', living('unknown'), 'void'], // looked up for longer than a send is quarantined
  ['void', 'retrying', living('unknown', 'leased'), 'look-up'],
  ['void', 'retrying', living('sent'), 'refused: a worker has a charge of it in hand'],
  ['void', 'held', null, 'void'],
  ['void', 'review', living('review'), 'void'],
  ['void', 'uncollectible', null, 'void'],
  ['void', 'paid', living('paid'), 'refused: the invoice is paid'],
  ['void', 'refunded', living('paid'), 'refused: the invoice is refunded'],
  ['void', 'waived', null, 'refused: the invoice is waived'],
] as const)('%s of a %s invoice beside %j: %s', (intervention, state, other, expected) => {
  expect(says(judge(intervention, standing({ state, living: other })))).toBe(expected);
});

test('what never failed opens again, what failed goes on retrying; what is in review goes again under the same id', () => {
  expect(judge('release', standing({ state: 'held', failures: 0, status: 'active' }))).toEqual({
    kind: 'change',
    change: { invoice: { state: 'open', watchAt: null }, attempt: null, subscription: 'reopen' },
  });
  expect(judge('release', standing({ state: 'review', living: living('review') }))).toMatchObject({
    change: { invoice: { state: 'retrying' }, attempt: 'prepared' },
  });
});

test('a void withdraws what was prepared, and watches only what was ever sent', () => {
  expect(judge('void', standing({ living: living('prepared') }))).toMatchObject({
    change: { attempt: 'canceled', invoice: { watchAt: now.plus({ days: 1 }) }, subscription: 'clear' },
  });
  expect(judge('void', standing({ lastSentAt: null }))).toMatchObject({
    change: { attempt: null, invoice: { watchAt: null } },
  });
});

test.each([
  ['paused', {}, 'the subscription is paused'],
  ['canceled', {}, 'the subscription is canceled'],
  [
    'past_due',
    { barredUntil: now.plus({ minutes: 61 }) },
    'a send of it was never answered, and may still be captured',
  ],
  [
    'past_due',
    { declinesAreFinal: false, lastSentAt: now.minus({ hours: 23 }) },
    'a decline of its channel may still turn into a payment',
  ],
])('a retry and a release for a %s subscription are refused: %j', (status, fields, because) => {
  for (const [intervention, state] of [
    ['retry', 'uncollectible'],
    ['release', 'held'],
  ] as const)
    expect(judge(intervention, standing({ ...fields, state, status }))).toMatchObject({ kind: 'refused', because });
  expect(says(judge('void', standing({ ...fields, state: 'held', status })))).toBe('void');
});

test.each([
  [{ seconds: 1 }, '1 minute'],
  [{ minutes: 61 }, '61 minutes'],
  [{ minutes: 121 }, '3 hours'],
])('the time left is rounded up: %j', (left, expected) => {
  expect(judge('retry', standing({ barredUntil: now.plus(left) }))).toMatchObject({
    remedy: `say it again in ${expected}`,
  });
});

test('a day after, a decline that may turn into a payment bars nothing; nor does a bar that has passed', () => {
  const over = { declinesAreFinal: false, lastSentAt: now.minus({ hours: 24 }), barredUntil: now };
  expect(says(judge('retry', standing(over)))).toBe('retrying');
  expect(says(judge('retry', standing({ lastSentAt: null, declinesAreFinal: false })))).toBe('retrying');
});

test('money that was captured is given back before anything is let go or ended', () => {
  const review = { state: 'review', living: living('review') } as const;
  for (const intervention of ['release', 'void'] as const)
    expect(judge(intervention, standing({ ...review, kept: ['imps_1'] }))).toMatchObject({
      because: 'imps_1 was captured for it',
      remedy: '`maedal refund` gives that back first',
    });
  // Its id is spent: what is let go on is charged under the next one.
  expect(judge('release', standing({ ...review, returned: ['imps_1'] }))).toMatchObject({
    change: { attempt: 'canceled' },
  });
  expect(says(judge('void', standing({ ...review, returned: ['imps_1'] })))).toBe('void');
});

test.each<[Proof['of'], Partial<InvoiceStanding>, object]>([
  ['nobody', { state: 'paid' }, { because: 'the invoice is paid', remedy: '`maedal refund` gives it back' }],
  ['nobody', { state: 'void' }, { because: 'the invoice is void' }],
  ['other', {}, { kind: 'accounted' }], // on record, and settled by accounting
  ['other', { state: 'paid' }, { because: 'the invoice is paid' }],
  ['counted', { state: 'paid', living: living('paid') }, { because: 'an invoice is paid by imps_1 already' }],
  ['nobody', { living: living('sent') }, { because: 'a worker has a charge of it in hand' }],
  ['nobody', { living: living('unknown') }, { kind: 'look-up' }],
  ['nobody', { refunding: ['imps_1'] }, { because: 'imps_1 is being given back' }],
  ['counted', { state: 'review', refunding: ['imps_1'] }, { because: 'imps_1 is being given back' }],
  ['nobody', { refunding: ['imps_2'] }, { kind: 'change' }],
  [
    'nobody',
    { kept: ['imps_1', 'imps_2', 'imps_3'] },
    { because: 'imps_2, imps_3 was captured for it as well', remedy: '`maedal refund` gives that back first' },
  ],
  ['nobody', { kept: ['imps_1'] }, { kind: 'change' }],
])('proved paid by a payment of %s, an invoice of %j: %j', (of, fields, expected) => {
  expect(judgeProof({ impUid: 'imps_1', of }, standing(fields))).toMatchObject(expected);
});

test.each<[Proof['of'], Partial<InvoiceStanding>, object]>([
  ['reviewed', { state: 'review', living: living('review') }, { invoice: { state: 'paid' }, attempt: 'paid' }],
  ['nobody', { living: living('prepared') }, { invoice: { state: 'paid' }, attempt: 'canceled' }],
  ['nobody', {}, { invoice: { state: 'paid', watchAt: now.plus({ days: 1 }) }, attempt: null }],
  ['nobody', { lastSentAt: null }, { invoice: { state: 'paid', watchAt: null }, attempt: null }], // nothing may land
  ['waiting', {}, { invoice: { state: 'held' } }], // paid once the sweep has accounted for it anew
  ['other', { state: 'review' }, { invoice: { state: 'held' } }], // the sweep would leave it to a person
])('a payment of %s settles an invoice of %j: %j', (of, fields, expected) => {
  const change = { ...expected, subscription: 'clear', impUid: 'imps_1' };
  expect(judgeProof({ impUid: 'imps_1', of }, standing(fields))).toMatchObject({ kind: 'change', change });
});

test('an invoice in review that is paid as it was is let out of it by the payment that it counts as paid by', () => {
  const inReview = standing({ state: 'review', living: living('paid'), kept: ['imps_2'] });
  expect(judgeProof({ impUid: 'imps_1', of: 'counted' }, inReview)).toEqual({
    kind: 'change',
    change: { invoice: { state: 'paid', watchAt: null }, attempt: null, subscription: 'clear' },
  });
});

test('whatever the standing, nothing changes while money may be on its way', () => {
  const states = fc.constantFrom('open', 'retrying', 'held', 'review', 'paid', 'refunded', 'void', 'uncollectible');
  const attempts = fc.option(
    fc.record({
      state: fc.constantFrom<AttemptState>('prepared', 'sent', 'unknown', 'paid', 'review'),
      hold: fc.constantFrom('leased' as const, 'free' as const),
    }),
  );
  const orders = fc.constantFrom('retry' as const, 'release' as const, 'void' as const);
  fc.assert(
    fc.property(states, attempts, orders, (state, other, order) => {
      const lastSentAt = now.minus({ minutes: 5 });
      if (judge(order, standing({ state, living: other, lastSentAt })).kind !== 'change') return;
      expect(['sent', 'unknown', 'paid']).not.toContain(other?.state);
      expect(other?.hold).not.toBe('leased');
    }),
  );
});
