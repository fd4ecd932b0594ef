import { expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import type { AttemptStanding } from '../../src/billing/attempt.ts';
import { decideBefore } from '../../src/billing/before-charge.ts';
import { decide } from '../../src/billing/dunning.ts';
import { type InvoiceStanding, judge } from '../../src/billing/intervention.ts';
import { type Asked, judgeAnswer, judgeLookUp } from '../../src/billing/outcome.ts';
import { followRefund, type RefundStanding } from '../../src/billing/refund.ts';
import { drawUpNext } from '../../src/billing/subscription.ts';
import { judgeSubscription } from '../../src/billing/subscription-order.ts';
import { transition } from '../../src/billing/transition.ts';

// A row, a job or a configuration may come from another version, and what it carries is of no type of this one.
const KIND = 'of_another_version' as never;
const UNKNOWN = { kind: KIND } as never;

const now = DateTime.utc(2027, 1, 31, 1);
const policy = { retryAfterDays: [1], minGapHours: 24 };
const attempt: AttemptStanding = {
  ...{ state: 'sent', dueAt: now, sentAt: now, failures: 0, timesNotSent: 0, unsettledSince: null },
  ...{ sends: 1, quarantineSeconds: 60, collecting: null },
};
const asked: Asked = {
  ...{ customerUid: 'card-1', amount: { minor: 9_900, currency: 'KRW' }, sandbox: true },
  ...{ sends: 1, horizon: 'open', seenBefore: new Set() },
};
const refund: RefundStanding = {
  ...{ state: 'sent', amountMinor: 1, checksumMinor: 1, capturedMinor: 1, sends: 1, sentAt: now },
  ...{ timeoutSeconds: 10, horizonSeconds: 60, leases: 1 },
};
const invoice: InvoiceStanding = {
  ...{ state: 'retrying', failures: 1, status: 'past_due', living: null, barredUntil: null, lastSentAt: null },
  ...{ kept: [], returned: [], refunding: [], declinesAreFinal: true, minGapHours: 24, quarantineSeconds: 60, now },
};
const standing = {
  ...{ hook: 'gate', wasSent: false, amountMinor: 9_900, taxFreeMinor: 0, vatMinor: null, name: 'x', customData: null },
  ...{ ceilingMinor: 9_900, deferredSeconds: 0, now },
};
const subscription = {
  schedule: { anchorLocal: '2027-01-31T10:00:00', timezone: 'Asia/Seoul', interval: 'month', intervalCount: 1 },
  ...{ status: 'active', firstPeriod: 0, nextPeriod: 0, endsAfter: null, cancelsAt: null },
  ...{ createdAt: now, now },
} as const;

test.each<[string, () => unknown]>([
  ['an event of an attempt', () => transition(attempt, UNKNOWN, policy, now)],
  ['an outcome of an attempt', () => transition(attempt, { kind: 'outcome', outcome: UNKNOWN }, policy, now)],
  ['an outcome to decide on', () => decide(attempt, UNKNOWN, policy, now)],
  ['an answer to a charge', () => judgeAnswer(UNKNOWN, asked)],
  ['an answer to a look-up', () => judgeLookUp(UNKNOWN, asked)],
  ['an event of a refund', () => followRefund(refund, UNKNOWN, now)],
  ['a look at a refund', () => followRefund(refund, { kind: 'looked', at: UNKNOWN }, now)],
  ['an answer to a refund', () => followRefund(refund, { kind: 'answered', answer: UNKNOWN }, now)],
  ['a look after its refusal', () => followRefund(refund, { kind: 'refused', reason: 'no', at: UNKNOWN }, now)],
  ['an order about an invoice', () => judge(KIND, invoice)],
  ['an order about a subscription', () => judgeSubscription(UNKNOWN, subscription)],
  ['an answer of a hook', () => decideBefore(UNKNOWN, standing)],
  ['a way to catch up', () => drawUpNext(subscription, KIND, now)],
])('%s of a kind that this version does not know is refused', (_what, judged) => {
  expect(judged).toThrow(/^unhandled case .*of_another_version/);
});
