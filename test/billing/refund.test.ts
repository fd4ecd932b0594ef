import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { closedAfterSeconds } from '../../src/billing/absence.ts';
import type { CancelAnswer, CancellablePayment, PaymentAnswer } from '../../src/billing/cancel.ts';
import {
  followRefund,
  REFUND_CHART,
  type RefundEvent,
  type RefundStanding,
  type RefundState,
  type RefundStep,
} from '../../src/billing/refund.ts';

const NOW = DateTime.fromISO('2027-02-01T01:00:00Z', { zone: 'utc' });
const REACH = { timeoutSeconds: 60, horizonSeconds: 3_600 };
const HORIZON = closedAfterSeconds(REACH);

/** A payment of 9,900 of which all is to be given back, approved and never sent. */
const standing = (fields: Partial<RefundStanding> = {}): RefundStanding => ({
  state: 'prepared',
  amountMinor: 9_900,
  checksumMinor: 9_900,
  capturedMinor: 9_900,
  sends: 0,
  sentAt: null,
  ...REACH,
  leases: 1,
  ...fields,
});
const sent = (secondsAgo: number, fields: Partial<RefundStanding> = {}) =>
  standing({ state: 'unknown', sends: 1, sentAt: NOW.minus({ seconds: secondsAgo }), ...fields });

function payment(cancelMinor: number, status?: string, minor = 9_900): CancellablePayment {
  return {
    record: {
      impUid: 'imps_1',
      merchantUid: 'm',
      status: statusOf(status ?? (cancelMinor > 0 ? 'cancelled' : 'paid')),
      amount: { minor, currency: 'KRW' },
      cancelMinor,
      customerUid: null,
      sandbox: true,
      decline: null,
      startedAtMs: null,
      paidAtMs: null,
      failedAtMs: null,
      raw: {},
    },
    cancellations: cancelMinor > 0 ? [{ cancellationId: `cancellation_${cancelMinor}`, minor: cancelMinor }] : [],
  };
}

const statusOf = (word: string) =>
  (['ready', 'paid', 'failed', 'cancelled', 'other'] as const).find((status) => status === word) ?? 'other';
const looked = (...args: Parameters<typeof payment>): RefundEvent => ({
  kind: 'looked',
  at: { kind: 'found', ...payment(...args) },
});
const unclear: PaymentAnswer = { kind: 'unclear', reason: 'the gateway is down' };
const lookedFor = (kind: 'absent' | 'missing'): RefundEvent => ({ kind: 'looked', at: { kind } });
const lookedInVain: RefundEvent = { kind: 'looked', at: unclear };

/** `state after so many seconds: reason`, as far as a step has them. */
function told(step: RefundStep): string {
  if (step.kind === 'send') return 'send';
  const wait = step.nextAt === null ? '' : ` after ${step.nextAt.diff(NOW).as('seconds')}`;
  return `${step.state}${wait}${step.reason === null ? '' : `: ${step.reason}`}`;
}

describe('what follows', () => {
  test.each<[string, RefundStanding, RefundEvent, string | RegExp]>([
    ['nothing cancelled, never sent', standing(), looked(0), 'send'],
    ['cancelled already, as a restored backup would find it', standing(), looked(9_900), 'done'],
    ['somebody cancelled a part', standing(), looked(3_000), /^failed: somebody else cancelled: 3000/],
    ['another amount was captured', standing(), looked(0, 'paid', 1), /^failed: .*another amount than 9900/],
    ['the payment failed', standing(), looked(0, 'failed'), /^failed: .*as failed/],
    ['the payment is pending', standing(), looked(0, 'other'), /^prepared after 5: .*'other'/],
    ['no look', standing(), lookedInVain, 'prepared after 5: the gateway is down'],
    ['no look, for the ninth time', standing({ leases: 9 }), lookedInVain, /^prepared after 600/],
    ['a payment that is known to be there is not', standing(), lookedFor('absent'), /^prepared/],
    ['the same for the fortieth time', standing({ leases: 40 }), lookedFor('absent'), /^failed: .*no such payment/],
    ['it is missing beside another', standing({ leases: 3 }), lookedFor('missing'), /^prepared after 60: .*no such/],
    ['it is missing, for the fourth time', standing({ leases: 4 }), lookedFor('missing'), /^failed: .*no such payment/],
    ['no token', standing(), { kind: 'barred', reason: 'switched off' }, 'prepared after 5: switched off'],

    ['unanswered, and it arrived', sent(20), looked(9_900), 'done'],
    ['unanswered, nothing so far', sent(20), looked(0), /^unknown after 25: nothing of it/],
    ['unanswered, nothing when the horizon is over', sent(HORIZON), looked(0), 'send'],
    ['unanswered, and no look', sent(20), lookedInVain, /^unknown after 25/],
    ['unanswered, no look, and no instant of the send', sent(20, { sentAt: null }), lookedInVain, /^unknown after 5:/],
    ['unanswered, and no look for days', sent(3 * 86_400), lookedInVain, /^unknown after 86400/],
    ['unanswered, something else is cancelled', sent(20), looked(3_000), /^unknown after 25: somebody else/],
    ['unanswered, something else, horizon over', sent(HORIZON), looked(3_000), /^failed: somebody else/],
    ['unanswered, and a fence stands', sent(HORIZON), { kind: 'barred', reason: 'no' }, /^unknown after/],
    ['five times in vain', sent(HORIZON, { sends: 5 }), looked(0), /^failed: asked for 5 times/],

    ['a part, cancelled', standing({ amountMinor: 3_000 }), looked(3_000), 'done'],
    ['a second part', standing({ amountMinor: 3_000, checksumMinor: 6_900 }), looked(3_000), 'send'],
    ['a second part, cancelled', standing({ amountMinor: 3_000, checksumMinor: 6_900 }), looked(6_000), 'done'],
    ['more than the part', standing({ amountMinor: 3_000 }), looked(9_900), /^failed: somebody else/],
  ])('%s', (_, before, event, expected) => {
    const step = told(followRefund(before, event, NOW));
    if (typeof expected === 'string') expect(step).toBe(expected);
    else expect(step).toMatch(expected);
  });

  const gone = standing({ state: 'sent', sends: 1, sentAt: NOW });
  const answered = (answer: Exclude<CancelAnswer, { kind: 'refused' }>): RefundEvent => ({ kind: 'answered', answer });
  const refused = (at: PaymentAnswer): RefundEvent => ({ kind: 'refused', reason: '점검 중', at });
  const found = (minor: number): PaymentAnswer => ({ kind: 'found', ...payment(minor) });
  test.each<[string, RefundStanding, RefundEvent, string | RegExp]>([
    ['done', gone, answered({ kind: 'done', ...payment(9_900) }), 'done'],
    ['done, but by less', gone, answered({ kind: 'done', ...payment(3_000) }), /^unknown after 5: .*3000 and not 9900/],
    ['no answer', gone, answered({ kind: 'unknown', reason: 'lost' }), 'unknown after 5: lost'],
    ['not sent', gone, answered({ kind: 'not-sent', reason: 'refused' }), 'prepared after 5: refused'],
    ['no token any more', gone, answered({ kind: 'unauthorized', reason: 'no' }), 'prepared after 5: no'],
    [
      'refused, and nothing is cancelled',
      gone,
      refused(found(0)),
      /^prepared after 600: the gateway refused: 점검 중$/,
    ],
    ['refused the third time', { ...gone, sends: 3 }, refused(found(0)), /^prepared after 21600/],
    ['refused the fifth time', { ...gone, sends: 5 }, refused(found(0)), 'failed: the gateway refused: 점검 중'],
    ['refused, because it was cancelled', gone, refused(found(9_900)), 'done'],
    [
      'refused, because of somebody else',
      gone,
      refused(found(3_000)),
      /^failed: the gateway refused: 점검 중; somebody/,
    ],
    [
      'refused, for it failed',
      gone,
      refused({ kind: 'found', ...payment(0, 'failed') }),
      /^failed: the .*; .*as failed/,
    ],
    ['refused, and no look', gone, refused(unclear), /^unknown after 5: the gateway refused: 점검 중; .*down/],
  ])('answered: %s', (_, before, event, expected) => {
    const step = told(followRefund(before, event, NOW));
    if (typeof expected === 'string') expect(step).toBe(expected);
    else expect(step).toMatch(expected);
  });

  test('what was proved unsent is counted; what was refused was sent', () => {
    expect(followRefund(gone, answered({ kind: 'not-sent', reason: 'r' }), NOW)).toMatchObject({ notSent: true });
    expect(followRefund(gone, answered({ kind: 'unauthorized', reason: 'r' }), NOW)).toMatchObject({ notSent: true });
    expect(followRefund(gone, refused(found(0)), NOW)).not.toHaveProperty('notSent');
  });

  test('a payment that failed or is missing is gone; one that nobody can see is not', () => {
    expect(followRefund(standing(), looked(0, 'failed'), NOW)).toMatchObject({ payment: 'gone' });
    expect(followRefund(standing({ leases: 4 }), lookedFor('missing'), NOW)).toMatchObject({ payment: 'gone' });
    expect(followRefund(standing({ leases: 40 }), lookedFor('absent'), NOW)).not.toHaveProperty('payment');
    expect(followRefund(standing(), looked(3_000), NOW)).not.toHaveProperty('payment');
    expect(followRefund(sent(20, { leases: 4 }), lookedFor('missing'), NOW)).toMatchObject({ state: 'unknown' });
  });

  test('the invoice ends with the last of its payment and not before; who asked is told', () => {
    const whole = { invoice: 'refunded', event: 'refund.succeeded', cancellationId: 'cancellation_9900' };
    expect(followRefund(gone, answered({ kind: 'done', ...payment(9_900) }), NOW)).toMatchObject(whole);
    const part = followRefund(standing({ amountMinor: 3_000 }), looked(3_000), NOW);
    expect(part).toMatchObject({ event: 'refund.succeeded' });
    expect(part).not.toHaveProperty('invoice');
    expect(followRefund(standing(), looked(3_000), NOW)).toMatchObject({ event: 'refund.failed' });
  });
});

/**
 * A gateway that checks `checksum` at the start only, and whose cancels land within the horizon, or never: the least
 * that a refund may rest on.
 */
type Played = { readonly posts: number; readonly state: RefundState; readonly given: number };

function play(choices: readonly number[], amount: number): Played {
  const balance = 9_900;
  let [now, given, posts] = [NOW, 0, 0];
  const landing: { at: DateTime; minor: number }[] = [];
  let state: RefundStanding = standing({ amountMinor: amount });
  let at: RefundState = 'prepared';
  const look = (choice: number): PaymentAnswer => {
    for (const cancel of landing.splice(0)) {
      if (cancel.at <= now) given += cancel.minor;
      else landing.push(cancel);
    }
    return choice % 4 === 0 ? unclear : { kind: 'found', ...payment(given) };
  };
  for (const choice of choices) {
    let step = followRefund(state, { kind: 'looked', at: look(choice) }, now);
    if (step.kind === 'send') {
      expect(landing).toEqual([]); // nothing that was sent may still land
      expect(given).toBe(0);
      posts += 1;
      state = { ...state, state: 'sent', sends: state.sends + 1, sentAt: now };
      const kind = (['done', 'lost', 'never', 'refused', 'not-sent'] as const)[choice % 5] ?? 'never';
      const arrives = (kind === 'done' || kind === 'lost') && given + amount <= balance;
      if (kind === 'lost' && arrives) landing.push({ at: now.plus({ seconds: choice % HORIZON }), minor: amount });
      if (kind === 'done' && arrives) given += amount;
      step = followRefund(state, answerTo(kind, given, look(choice)), now);
    }
    if (step.kind === 'send') throw new Error('an answer never sends');
    expect(step.from).toContain(state.state);
    if (step.state !== state.state) expect(REFUND_CHART[state.state]).toContain(step.state);
    at = step.state;
    if (step.state === 'done' || step.state === 'failed') return { posts, state: at, given };
    if (step.nextAt === null) throw new Error('nothing looks at it again');
    expect(step.nextAt > now || state.state === 'sent').toBe(true);
    now = DateTime.max(now.plus({ seconds: 1 }), step.nextAt);
    const sends = state.sends - (step.notSent === true ? 1 : 0);
    state = { ...state, state: step.state, leases: state.leases + 1, sends };
  }
  return { posts, state: at, given };
}

function answerTo(
  kind: 'done' | 'lost' | 'never' | 'refused' | 'not-sent',
  given: number,
  at: PaymentAnswer,
): RefundEvent {
  if (kind === 'refused') return { kind: 'refused', reason: 'no', at };
  if (kind === 'done') return { kind: 'answered', answer: { kind: 'done', ...payment(given) } };
  return { kind: 'answered', answer: { kind: kind === 'not-sent' ? 'not-sent' : 'unknown', reason: 'r' } };
}

test('whatever is lost, refused or late, no more is given back than was asked for, and never in the dark', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(100_000), { minLength: 60, maxLength: 200 }),
      fc.constantFrom(9_900, 3_000),
      (choices, amount) => {
        const end = play(choices, amount);
        expect(end.given).toBeLessThanOrEqual(amount);
        if (end.state === 'done') expect(end.given).toBe(amount);
        if (end.state === 'failed') expect(end.given).toBe(0);
      },
    ),
    { numRuns: 1_000 },
  );
});

test('it ends, as soon as looks are answered often enough', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100_000), { minLength: 300, maxLength: 300 }), (choices) => {
      const answered = choices.map((choice) => (choice % 4 === 0 || choice % 5 === 4 ? 1 : choice));
      expect(['done', 'failed']).toContain(play(answered, 9_900).state);
    }),
    { numRuns: 200 },
  );
});
