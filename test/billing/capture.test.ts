import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AttemptState } from '../../src/billing/attempt.ts';
import { accountFor, type Capture } from '../../src/billing/capture.ts';

const amount = { minor: 9_900, currency: 'KRW' };
const asked = { customerUid: 'card-1', amount, sandbox: true };

type Told = Partial<Omit<Capture, 'attempt'>> & { readonly attempt?: Partial<Capture['attempt']> };

function capture(fields: Told = {}): Capture {
  return {
    impUid: 'imps_000000000001',
    status: 'paid',
    presence: 'there',
    amount,
    cancelMinor: 0,
    customerUid: 'card-1',
    sandbox: true,
    refundMinor: 0,
    ...fields,
    attempt: {
      state: 'unknown',
      impUid: null,
      hold: 'free',
      asked,
      invoice: 'open',
      others: 'none',
      sibling: null,
      ...fields.attempt,
    },
  };
}

const sibling = (state: AttemptState, hold: 'leased' | 'free' = 'free') => ({ state, hold });

test.each([
  // the attempt, its invoice, another attempt that is alive → what becomes of the capture
  ['unknown', 'open', null, 'settle'],
  ['sent', 'open', null, 'settle'],
  ['prepared', 'open', null, 'settle'],
  ['declined', 'retrying', null, 'revive'],
  ['declined', 'uncollectible', null, 'revive'],
  ['rejected', 'held', null, 'revive'],
  ['canceled', 'retrying', sibling('prepared'), 'revive'],
  ['declined', 'retrying', sibling('prepared', 'leased'), 'wait'],
  ['declined', 'retrying', sibling('sent'), 'wait'],
  ['declined', 'retrying', sibling('unknown'), 'wait'],
  ['declined', 'review', sibling('review'), 'review'],
  ['declined', 'paid', sibling('paid'), 'refund'],
  ['canceled', 'void', null, 'refund'],
  ['declined', 'waived', null, 'refund'],
  ['review', 'review', null, 'settle'],
  ['prepared', 'review', null, 'review'],
  ['unknown', 'review', null, 'review'],
] as const)('captured for a %s attempt of a %s invoice, beside %j: %s', (state, invoice, other, kind) => {
  expect(accountFor(capture({ attempt: { state, invoice, sibling: other } })).kind).toBe(kind);
});

test.each(['unknown', 'declined', 'review'] as const)(
  'beside a capture that waits for a person, one for a %s attempt waits for the same person',
  (state) => {
    expect(accountFor(capture({ attempt: { state, invoice: 'review', others: 'in-review' } })).kind).toBe('review');
  },
);

test('what a worker holds is left to the worker', () => {
  expect(accountFor(capture({ attempt: { state: 'sent', hold: 'leased' } })).kind).toBe('wait');
});

test('the payment that an attempt counts as paid by settles; another one under the same id is given back', () => {
  const paid = { state: 'paid', invoice: 'paid' } as const;
  expect(accountFor(capture({ attempt: { ...paid, impUid: 'imps_000000000001' } })).kind).toBe('settles');
  expect(accountFor(capture({ attempt: { ...paid, impUid: 'imps_000000000002' } })).kind).toBe('refund');
});

test.each([
  ['another amount', { amount: { minor: 1, currency: 'KRW' } }],
  ['another currency', { amount: { minor: 9_900, currency: 'USD' } }],
  ['an amount that cannot be read', { amount: null }],
  ['another card', { customerUid: 'card-2' }],
  ['the wrong kind of channel', { sandbox: false }],
] as const)('captured with %s, nothing is settled: a person must look', (_name, difference) => {
  expect(accountFor(capture(difference)).kind).toBe('review');
  expect(accountFor(capture({ ...difference, attempt: { state: 'declined', invoice: 'retrying' } })).kind).toBe(
    'review',
  );
});

test.each([
  ['in full, by somebody else', { cancelMinor: 9_900 }, 'review'],
  ['in part, by somebody else', { cancelMinor: 100 }, 'settles'],
  ['in full, by us and by somebody else', { cancelMinor: 9_900, refundMinor: 100 }, 'review'],
  ['by us', { cancelMinor: 9_900, refundMinor: 9_900 }, 'settles'],
] as const)('the payment that an invoice rests on was cancelled %s: %s', (_how, cancelled, kind) => {
  const attempt = { state: 'paid', impUid: 'imps_000000000001', invoice: 'paid' } as const;
  expect(accountFor(capture({ status: 'cancelled', ...cancelled, attempt })).kind).toBe(kind);
});

test.each([
  ['in full', { cancelMinor: 9_900 }, 'returned'],
  ['by our refund', { cancelMinor: 9_900, refundMinor: 9_900 }, 'returned'],
] as const)('a payment that settles nothing was cancelled %s: %s', (_how, cancelled, kind) => {
  const attempt = { state: 'declined', invoice: 'paid', sibling: sibling('paid') } as const;
  expect(accountFor(capture({ status: 'cancelled', ...cancelled, attempt })).kind).toBe(kind);
});

test('what was cancelled in full while a worker has its attempt in hand waits: it may be about to be counted', () => {
  const cancelled = { status: 'cancelled', cancelMinor: 9_900 } as const;
  expect(accountFor(capture({ ...cancelled, attempt: { hold: 'leased' } }))).toEqual({ kind: 'wait' });
  expect(accountFor(capture(cancelled))).toEqual({ kind: 'returned' });
});

test.each([
  ['another attempt had paid', { state: 'declined', invoice: 'paid', sibling: sibling('paid') }, 'refund'],
  ['another payment under the same id had paid', { state: 'paid', impUid: 'imps_2', invoice: 'paid' }, 'refund'],
  ['nothing is owed', { state: 'canceled', invoice: 'void' }, 'refund'],
  ['nobody has paid', { state: 'declined', invoice: 'uncollectible' }, 'review'],
] as const)('what is left of a capture cancelled in part, where %s: %s', (_why, attempt, kind) => {
  expect(accountFor(capture({ status: 'cancelled', cancelMinor: 100, attempt })).kind).toBe(kind);
});

test('whatever the standing, nothing settles but a free attempt asked for exactly this, of an invoice that is owed', () => {
  const states = fc.constantFrom<AttemptState>(
    ...(['prepared', 'sent', 'unknown', 'paid', 'declined', 'rejected', 'review', 'canceled'] as const),
  );
  const invoices = fc.constantFrom(
    'open',
    'retrying',
    'held',
    'review',
    'paid',
    'refunded',
    'waived',
    'void',
    'uncollectible',
  );
  const holds = fc.constantFrom('leased' as const, 'free' as const);
  const siblings = fc.option(fc.record({ state: states, hold: holds }));
  const minors = fc.constantFrom(9_900, 1);
  fc.assert(
    fc.property(states, invoices, holds, siblings, minors, (state, invoice, hold, other, minor) => {
      const found = capture({ amount: { minor, currency: 'KRW' }, attempt: { state, invoice, hold, sibling: other } });
      const { kind } = accountFor(found);
      if (kind !== 'settle' && kind !== 'revive') return;
      expect([hold, minor]).toEqual(['free', 9_900]);
      if (invoice === 'review') expect([kind, state]).toEqual(['settle', 'review']);
      if (kind === 'revive') expect(['void', 'waived', 'refunded', 'paid', 'review']).not.toContain(invoice);
      if (kind === 'revive' && other !== null) expect(['sent', 'unknown', 'paid', 'review']).not.toContain(other.state);
    }),
  );
});

test('a capture that is not owed, and of which nobody can say how much it is, is for a person', () => {
  const paid = { state: 'paid', impUid: 'imps_000000000002', invoice: 'paid' } as const;
  expect(accountFor(capture({ attempt: paid }))).toMatchObject({ kind: 'refund' });
  const unreadable = accountFor(capture({ amount: null, attempt: paid }));
  expect(unreadable).toMatchObject({ kind: 'review', reason: expect.stringMatching(/how much it is cannot be read/) });
});

test('a capture cancelled in part waits while the fate of another attempt is open: a review would hide that one', () => {
  const cancelled = { status: 'cancelled', cancelMinor: 900 } as const;
  const attempt = { state: 'declined', invoice: 'retrying' } as const;
  expect(accountFor(capture({ ...cancelled, attempt }))).toMatchObject({ kind: 'review' });
  for (const other of [sibling('unknown'), sibling('sent'), sibling('prepared', 'leased')]) {
    expect(accountFor(capture({ ...cancelled, attempt: { ...attempt, sibling: other } }))).toEqual({ kind: 'wait' });
  }
});

test.each([
  ['paid', 'imps_000000000001', 'free', 'review'],
  ['paid', 'imps_000000000002', 'free', 'returned'],
  ['review', 'imps_000000000001', 'free', 'returned'],
  ['unknown', null, 'leased', 'wait'],
] as const)(
  'what is gone, of an attempt that is %s by %s and %s, is kept by nobody: %s',
  (state, impUid, hold, kind) => {
    for (const status of ['paid', 'cancelled'] as const)
      expect(accountFor(capture({ status, presence: 'gone', attempt: { state, impUid, hold } }))).toMatchObject({
        kind,
      });
  },
);
