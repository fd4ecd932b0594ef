import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { ATTEMPT_CHART, type AttemptEvent, type AttemptState } from '../../src/billing/attempt.ts';
import { type InvoiceStanding, type Judgement, judge, judgeProof } from '../../src/billing/intervention.ts';
import { INVOICE_CHART, type InvoiceState } from '../../src/billing/invoice.ts';
import type { ChargeOutcome } from '../../src/billing/outcome.ts';
import { judgeSubscription } from '../../src/billing/subscription-order.ts';
import { SUBSCRIPTION_CHART, type SubscriptionStatus } from '../../src/billing/subscription-status.ts';
import { transition } from '../../src/billing/transition.ts';

// The database refuses what is off a chart; so what the core decides must be on it, or the work is never done.

const now = DateTime.utc(2027, 1, 31, 1);
const COLLECTED: readonly InvoiceState[] = ['open', 'retrying'];
const CARD = { id: 'card', declines: 0, refusals: 0, lastTriedAt: null, declined: null };
const collecting = { cards: [CARD], cardId: 'card', declinesAreFinal: true, seed: 'seed' };

/** What `store/record.ts` makes of a subscription whose invoice was given up. */
const GIVEN_UP: Readonly<Partial<Record<string, SubscriptionStatus>>> = {
  unpaid: 'unpaid',
  pause: 'paused',
  cancel: 'canceled',
};

test('whatever happens to an attempt, it and what hangs on it move along their charts', () => {
  const unsettledSince = fc.constantFrom(null, now.minus({ days: 30 }));
  const standings = fc.record({ failures: fc.nat(3), sends: fc.nat(2), timesNotSent: fc.nat(3), unsettledSince });
  const ends = fc.constantFrom('unpaid' as const, 'pause' as const, 'cancel' as const, 'write_off' as const);
  const policies = fc.record({
    retryAfterDays: fc.constantFrom([1, 3], []),
    minGapHours: fc.constant(24),
    waitForCardDays: fc.constantFrom(0, 30),
    end: ends,
  });
  fc.assert(
    fc.property(anyState(ATTEMPT_CHART), standings, anyEvent(), policies, (state, numbers, event, policy) => {
      const standing = { ...numbers, state, dueAt: now, sentAt: now, quarantineSeconds: 60, collecting };
      const next = transition(standing, event, policy, now);
      // Accounting asks for this of the states that may become paid alone.
      if (event.kind !== 'captured' || ATTEMPT_CHART[state].includes('paid'))
        for (const from of next.from) expect([from, ...ATTEMPT_CHART[from]]).toContain(next.attempt.state);
      for (const from of COLLECTED) expect([from, ...INVOICE_CHART[from]]).toContain(next.invoice.state);
      const left = next.subscription === undefined ? undefined : GIVEN_UP[next.subscription];
      if (left !== undefined)
        for (const from of ['active', 'past_due'] as const) expect(SUBSCRIPTION_CHART[from]).toContain(left);
    }),
    { numRuns: 2_000 },
  );
});

test('what is paid late may come from wherever a late payment is recorded', () => {
  for (const from of ['held', 'uncollectible', 'review'] as const) expect(INVOICE_CHART[from]).toContain('paid');
});

test('whatever a person orders about an invoice, it and its attempt move along their charts', () => {
  const livings = fc.option(fc.record({ state: anyState(ATTEMPT_CHART), hold: fc.constant('free' as const) }));
  const standings = fc.record({ state: anyState(INVOICE_CHART), failures: fc.nat(2), living: livings });
  let changes = 0;
  fc.assert(
    fc.property(standings, (found) => {
      fc.pre(found.state !== 'uncollectible' || found.failures > 0); // given up after a decline
      fc.pre(found.living === null || isLiving(found.state, found.living.state));
      for (const judgement of ordersOf(found)) {
        if (judgement.kind !== 'change') continue;
        const { invoice, attempt } = judgement.change;
        changes += 1;
        expect([found.state, ...INVOICE_CHART[found.state]]).toContain(invoice.state);
        if (attempt !== null && found.living !== null)
          expect([found.living.state, ...ATTEMPT_CHART[found.living.state]]).toContain(attempt);
      }
    }),
    { numRuns: 2_000 },
  );
  expect(changes).toBeGreaterThan(100);
});

test('whatever is ordered about a subscription, it moves along its chart', () => {
  const schedule = {
    anchorLocal: '2027-01-31T10:00:00',
    timezone: 'UTC',
    interval: 'month',
    intervalCount: 1,
  } as const;
  const orders = [
    { kind: 'cancel', at: 'now' },
    { kind: 'cancel', at: 'period_end' },
    { kind: 'pause' },
    { kind: 'resume', anchor: 'keep' },
    { kind: 'skip' },
  ] as const;
  const rest = { cancelsAt: null, schedule, firstPeriod: 0, nextPeriod: 1, endsAfter: null, now };
  for (const order of orders)
    for (const status of keysOf(SUBSCRIPTION_CHART)) {
      const judgement = judgeSubscription(order, { ...rest, status });
      if (judgement.kind !== 'change') continue;
      const reached: SubscriptionStatus = judgement.change.status ?? status;
      expect([status, ...SUBSCRIPTION_CHART[status]]).toContain(reached);
      // Where something is owed, the statement makes `past_due` of `active`.
      if (judgement.change.status === 'active') expect(SUBSCRIPTION_CHART[status]).toContain('past_due');
    }
});

function ordersOf(
  found: Pick<InvoiceStanding, 'state' | 'failures' | 'living'>,
): (Judgement | { kind: 'accounted' })[] {
  const standing: InvoiceStanding = {
    ...found,
    status: 'past_due',
    barredUntil: null,
    lastSentAt: null,
    kept: [],
    returned: [],
    refunding: [],
    declinesAreFinal: true,
    minGapHours: 24,
    quarantineSeconds: 60,
    now,
  };
  const orders = (['retry', 'release', 'void'] as const).map((order) => judge(order, standing));
  const of = found.living?.state === 'review' ? 'reviewed' : 'nobody';
  return [...orders, judgeProof({ impUid: 'imps_1', of }, standing)];
}

/** Whether an invoice in that state may have a living attempt in this one. */
function isLiving(invoice: InvoiceState, attempt: AttemptState): boolean {
  if (COLLECTED.includes(invoice)) return ['prepared', 'sent', 'unknown'].includes(attempt);
  if (invoice === 'paid' || invoice === 'refunded') return attempt === 'paid';
  return invoice === 'review' && attempt === 'review';
}

function anyEvent(): fc.Arbitrary<AttemptEvent> {
  const decline = { class: 'funds', reason: '한도초과' } as const;
  const outcomes: readonly ChargeOutcome[] = [
    { kind: 'declined', decline, impUid: 'imps_1', unanswered: 0 },
    { kind: 'rejected', decline, unanswered: 1 },
    { kind: 'not-sent', reason: 'refused' },
    { kind: 'not-sent', reason: 'one of its ids is pending', unsettled: true },
    { kind: 'unknown', reason: 'the connection was lost' },
    { kind: 'not-found', horizon: 'open' },
    { kind: 'absent', beside: 'imps_canary' },
    { kind: 'review', reason: 'another card paid' },
  ];
  return fc.constantFrom<AttemptEvent>(
    ...outcomes.map((outcome) => ({ kind: 'outcome', outcome }) as const),
    { kind: 'withdrawn', to: 'held', reason: 'over_max_amount' },
    { kind: 'withdrawn', to: 'void', reason: 'subscription_canceled' },
    { kind: 'deferred', until: now, reason: 'later' },
    { kind: 'overtaken' },
    { kind: 'card_awaited', decline, barredUntil: null, releasedAt: null },
    { kind: 'captured', impUid: 'imps_1', merchantUid: 'other' },
  );
}

function anyState<State extends string>(chart: Readonly<Record<State, unknown>>): fc.Arbitrary<State> {
  return fc.constantFrom(...keysOf(chart));
}

function keysOf<State extends string>(chart: Readonly<Record<State, unknown>>): State[] {
  const isState = (key: string): key is State => Object.hasOwn(chart, key);
  return Object.keys(chart).filter(isState);
}
