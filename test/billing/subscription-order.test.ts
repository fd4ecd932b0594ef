import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { periodAt } from '../../src/billing/calendar.ts';
import { judgeTerms } from '../../src/billing/plan-change.ts';
import {
  judgeSubscription,
  type SubscriptionOrder,
  type SubscriptionStanding,
} from '../../src/billing/subscription-order.ts';

const schedule = {
  anchorLocal: '2027-01-31T10:00:00',
  timezone: 'Asia/Seoul',
  interval: 'month',
  intervalCount: 1,
} as const;
const standing = (fields: Partial<SubscriptionStanding> = {}): SubscriptionStanding => ({
  status: 'active',
  cancelsAt: null,
  schedule,
  firstPeriod: 0,
  nextPeriod: 1,
  endsAfter: null,
  now: DateTime.fromISO('2027-02-10T00:00:00Z', { zone: 'utc' }),
  ...fields,
});
/** Where the period that runs ends. */
const NEXT = periodAt(schedule, 1).startAt;
const NOW = { kind: 'cancel', at: 'now' } as const;
const AT_END = { kind: 'cancel', at: 'period_end' } as const;

test.each<[SubscriptionOrder, Partial<SubscriptionStanding>, object]>([
  [NOW, {}, { change: { status: 'canceled', invoices: 'void', event: 'subscription.canceled' } }],
  [NOW, { status: 'paused' }, { change: { status: 'canceled', invoices: 'void' } }],
  [NOW, { status: 'unpaid' }, { change: { status: 'canceled' } }],
  [NOW, { status: 'canceled' }, { kind: 'unchanged', invoices: 'void' }],
  [AT_END, {}, { change: { cancelsAt: NEXT, event: 'subscription.cancel_scheduled' } }],
  [AT_END, { cancelsAt: NEXT }, { kind: 'unchanged' }],
  [AT_END, { status: 'paused' }, { change: { status: 'canceled' } }],
  [{ kind: 'pause' }, {}, { change: { status: 'paused', invoices: 'hold' } }],
  [{ kind: 'pause' }, { status: 'paused' }, { kind: 'unchanged', invoices: 'hold' }],
  [{ kind: 'pause' }, { status: 'canceled' }, { kind: 'refused' }],
  [{ kind: 'pause' }, { now: DateTime.fromISO('2027-02-28T01:00:00Z') }, { kind: 'refused' }], // what began is owed
  [{ kind: 'pause' }, { now: DateTime.fromISO('2027-02-28T01:00:00Z'), endsAfter: 1 }, { kind: 'change' }],
  [{ kind: 'resume', anchor: 'keep' }, {}, { kind: 'unchanged' }],
  [{ kind: 'resume', anchor: 'keep' }, { cancelsAt: NEXT }, { change: { cancelsAt: null } }],
  [{ kind: 'resume', anchor: 'keep' }, { status: 'canceled' }, { kind: 'refused' }],
  ...(['keep', 'new'] as const).map<[SubscriptionOrder, Partial<SubscriptionStanding>, object]>((anchor) => [
    { kind: 'resume', anchor },
    { status: 'paused', cancelsAt: NEXT },
    { change: { status: 'active', cancelsAt: null } }, // one word ends the pause and takes the cancel back
  ]),
  [{ kind: 'skip' }, { status: 'paused' }, { kind: 'refused', because: 'it is paused' }],
  [{ kind: 'skip' }, { cancelsAt: NEXT }, { kind: 'refused' }],
  [{ kind: 'skip' }, { endsAfter: 1 }, { kind: 'refused' }],
  [{ kind: 'pause' }, { cancelsAt: periodAt(schedule, 2).startAt, now: NEXT }, { kind: 'refused' }],
  [{ kind: 'skip' }, { now: DateTime.fromISO('2027-02-28T01:00:00Z') }, { kind: 'refused' }],
])('%j of %j', (order, fields, expected) => {
  expect(judgeSubscription(order, standing(fields))).toMatchObject(expected);
});

test.each<[string, Partial<SubscriptionStanding>, number]>([
  ['what runs', {}, 1],
  ['what was paid for, before a new anchor', { nextPeriod: 0, now: DateTime.utc(2027, 1, 20) }, 0],
  ['a trial', { status: 'trialing', nextPeriod: 0, now: DateTime.utc(2027, 1, 20) }, 0],
  ['a period that begins that very instant', { now: periodAt(schedule, 1).startAt }, 2],
  ['a period that has begun and is still to be drawn up', { now: periodAt(schedule, 1).startAt.plus(1) }, 2],
  ['the last of several such', { now: DateTime.utc(2027, 6, 15) }, 5],
  ['the last agreed one, over and still to be drawn up', { endsAfter: 2, now: DateTime.utc(2027, 6, 15) }, 2],
  ['the last agreed one', { endsAfter: 1, now: DateTime.utc(2027, 6, 15) }, 1],
])('cancelled to the end of its period, %s is the last to be', (_, fields, until) => {
  expect(judgeSubscription(AT_END, standing(fields))).toEqual({
    kind: 'change',
    change: { cancelsAt: periodAt(schedule, until).startAt, event: 'subscription.cancel_scheduled' },
  });
});

test('a pause keeps the anchor: what began meanwhile is not owed, and counts for no agreed number', () => {
  const paused = standing({ status: 'paused', nextPeriod: 2, endsAfter: 12, now: DateTime.utc(2027, 6, 15) });
  expect(judgeSubscription({ kind: 'resume', anchor: 'keep' }, paused)).toMatchObject({
    change: { status: 'active', invoices: 'release', periods: { first: 3, next: 5 } },
  });
  const brief = standing({ status: 'paused', nextPeriod: 2, now: DateTime.utc(2027, 3, 5) });
  expect(judgeSubscription({ kind: 'resume', anchor: 'keep' }, brief)).toMatchObject({
    change: { periods: { first: 0, next: 2 } },
  });
});

test('a resume after the last agreed period adds none: it ends where that one does', () => {
  const over = standing({ status: 'paused', endsAfter: 1 });
  const judgement = judgeSubscription({ kind: 'resume', anchor: 'keep' }, over);
  expect(judgement).toMatchObject({ kind: 'change', change: { status: 'active' } });
  expect(judgement).not.toHaveProperty('change.periods');
});

test('a skip waives the next period and leaves the ones after it where they were', () => {
  const judgement = judgeSubscription({ kind: 'skip' }, standing());
  expect(judgement).toMatchObject({
    change: { waives: { index: 1, key: '2027-02-28' }, periods: { first: 0, next: 2 } },
  });
  if (judgement.kind !== 'change') throw new Error('it is refused');
  expect(judgement.change.periods?.nextDueAt.toISO()).toBe(periodAt(schedule, 2).startAt.toISO());
});

test.each([
  [
    { name: '원두 1kg', price: { minor: 30_000, currency: 'KRW' } },
    {},
    { change: { event: 'subscription.plan_changed' } },
  ],
  [{ every: { interval: 'month', intervalCount: 1 } }, {}, { kind: 'change' }],
  [{ price: { minor: 990, currency: 'USD' } }, {}, { because: 'it is paid in KRW, and not in USD' }],
  [
    { plan: 'beans-weekly', every: { interval: 'week', intervalCount: 2 } },
    {},
    { because: 'it is billed every month, and beans-weekly every 2 weeks' },
  ],
  [{ name: 'x' }, { status: 'canceled' }, { kind: 'refused' }],
  [{ price: { minor: 30_000, currency: 'KRW' } }, { now: NEXT }, { kind: 'refused' }], // what began costs what was agreed
] as const)('terms %j of %j', (terms, fields, expected) => {
  expect(judgeTerms(terms, { ...standing(fields), currency: 'KRW' })).toMatchObject(expected);
});

test('whatever is ordered, no period comes twice, none that began is passed over, and what is canceled stays so', () => {
  const orders = fc.constantFrom<SubscriptionOrder>(
    NOW,
    AT_END,
    { kind: 'pause' },
    { kind: 'resume', anchor: 'keep' },
    { kind: 'skip' },
  );
  const statuses = fc.constantFrom('trialing', 'active', 'past_due', 'unpaid', 'paused', 'canceled');
  fc.assert(
    fc.property(orders, statuses, fc.nat(24), fc.nat(900), (order, status, nextPeriod, days) => {
      const found = standing({ status, nextPeriod, now: DateTime.utc(2027, 1, 31).plus({ days }) });
      const judgement = judgeSubscription(order, found);
      if (judgement.kind !== 'change') return;
      const { status: becomes, periods } = judgement.change;
      expect(status).not.toBe('canceled');
      if (becomes === 'active') expect(status).toBe('paused');
      if (periods === undefined) return;
      expect(periods.next).toBeGreaterThanOrEqual(nextPeriod);
      expect(periods.nextDueAt >= found.now).toBe(true);
      expect(periodAt(schedule, periods.next).startAt.toMillis()).toBe(periods.nextDueAt.toMillis());
    }),
  );
});

test('a new anchor begins now, or where the last period ends, and what was served of an agreed number counts', () => {
  const paused = standing({ status: 'paused', firstPeriod: 0, nextPeriod: 2, endsAfter: 5 });
  const start = periodAt(paused.schedule, 2).startAt;
  const anew = (now: DateTime) => judgeSubscription({ kind: 'resume', anchor: 'new' }, { ...paused, now });
  const late = start.plus({ days: 40 });
  expect(anew(late)).toMatchObject({
    change: {
      status: 'active',
      anchor: { endsAfter: 3 },
      periods: { first: 0, next: 0, nextDueAt: late.setZone('utc') },
    },
  });
  expect(anew(start.minus({ days: 3 }))).toMatchObject({ change: { periods: { nextDueAt: start } } });
  expect(judgeSubscription({ kind: 'resume', anchor: 'new' }, { ...paused, endsAfter: 2 })).toMatchObject({
    kind: 'refused',
  });
  expect(judgeSubscription({ kind: 'resume', anchor: 'new' }, { ...paused, endsAfter: null })).toMatchObject({
    change: { anchor: { endsAfter: null } }, // where no number was agreed, none is left
  });
});
