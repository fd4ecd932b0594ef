import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DateTime, Duration } from 'luxon';
import type { PaymentRecord } from '../../src/billing/charge.ts';
import { decide, decideAgain, nextLookUpAt, type Standing } from '../../src/billing/dunning.ts';
import type { Collecting } from '../../src/billing/next-try.ts';
import type { ChargeOutcome } from '../../src/billing/outcome.ts';

const policy = { retryAfterDays: [1, 3, 5], minGapHours: 24 };
const dueAt = DateTime.fromISO('2027-01-31T01:00:00Z', { zone: 'utc' });
const days = (count: number) => Duration.fromObject({ days: count });
const decline = { class: 'funds', reason: '한도초과' } as const;
const declined: ChargeOutcome = { kind: 'declined', decline, impUid: 'imps_000000000001', unanswered: 0 };
const rejected: ChargeOutcome = { kind: 'rejected', decline, unanswered: 0 };

const PAID: PaymentRecord = {
  ...{ impUid: 'imps_1', merchantUid: 'uid', status: 'paid', amount: null, cancelMinor: 0, customerUid: null },
  ...{ sandbox: true, decline: null, startedAtMs: null, paidAtMs: null, failedAtMs: null, raw: {} },
};

function standing(failures: number, late: number): Standing {
  return {
    dueAt,
    sentAt: dueAt.plus(days(late)),
    failures,
    timesNotSent: 0,
    unsettledSince: null,
    sends: 1,
    quarantineSeconds: 86_400,
    collecting: after(failures, dueAt.plus(days(late))),
  };
}

/** One card, with so many declines behind it. */
function after(failures: number, lastTriedAt: DateTime): Collecting {
  const declined = failures === 0 ? null : 'funds';
  const card = {
    id: 'card',
    declines: failures,
    refusals: 0,
    lastTriedAt: failures === 0 ? null : lastTriedAt,
    declined,
  } as const;
  return { cards: [card], cardId: 'card', declinesAreFinal: true, seed: '' };
}

test.each([
  // what happened, failures so far, days late → what follows
  [declined, 0, 0, { kind: 'retry', at: dueAt.plus(days(1)), cardId: null }],
  [declined, 1, 1, { kind: 'retry', at: dueAt.plus(days(3)), cardId: null }],
  [declined, 2, 3, { kind: 'retry', at: dueAt.plus(days(5)), cardId: null }],
  [declined, 3, 5, { kind: 'give-up', reason: 'retries_exhausted' }],
  [rejected, 0, 0, { kind: 'retry', at: dueAt.plus(days(1)), cardId: null }],
  [declined, 1, 30, { kind: 'retry', at: dueAt.plus(days(31)), cardId: null }], // the daemon was down for a month: a day later, not at once
] as const)('%j after %i failures, %i days late', (outcome, failures, late, expected) => {
  expect(decide(standing(failures, late), outcome, policy, dueAt.plus(days(late)))).toEqual(expected);
});

test('what was written off before is written off again, on whatever rung, and whatever card may have come', () => {
  const writtenOff = { ...standing(0, 0), isWrittenOff: true };
  const again = { kind: 'give-up', reason: 'written_off' };
  expect(decide(writtenOff, declined, policy, dueAt)).toEqual(again);
  expect(decideAgain(writtenOff, { decline, barredUntil: null, releasedAt: null }, policy, dueAt)).toEqual(again);
});

test('where the last rung was refused for the merchant’s own account, the invoice is held, and no subscription ends', () => {
  const { decline } = declined;
  const refused = { ...declined, decline: { ...decline, class: 'config' as const } };
  const after = (refusals: number, late: number, declines = 0) => {
    const card = { id: 'card', declines, refusals, lastTriedAt: dueAt, declined: 'config' } as const;
    const collecting = { cards: [card], cardId: 'card', declinesAreFinal: true, seed: '' };
    return { ...standing(refusals + declines, late), collecting };
  };
  const held = { kind: 'hold', reason: 'account_refused' };
  expect(decide(after(2, 3), refused, policy, dueAt.plus(days(3)))).toMatchObject({ kind: 'retry' });
  expect(decide(after(3, 5), refused, policy, dueAt.plus(days(5)))).toEqual(held);
  // Neither uses up the rungs of the other.
  expect(decide(after(0, 5, 3), refused, policy, dueAt.plus(days(5)))).toMatchObject({ kind: 'retry' });
  expect(decide(after(3, 5), declined, policy, dueAt.plus(days(5)))).toMatchObject({ kind: 'retry' });
  const barred = { ...policy, classes: { config: { retryAfterDays: [], card: 'other' } } } as const;
  expect(decide(after(0, 0), refused, barred, dueAt)).toEqual(held);
});

test.each([
  [0, 5],
  [1, 30],
  [2, 60],
  [3, 120],
  [4, 300],
  [5, 600],
  [99, 600],
])('what was not sent %i times before goes again after %i seconds: minutes, not days', (timesNotSent, seconds) => {
  const decision = decide({ ...standing(0, 0), timesNotSent }, { kind: 'not-sent', reason: 'refused' }, policy, dueAt);
  expect(decision).toEqual({ kind: 'send-again', at: dueAt.plus({ seconds }) });
});

const lost = { ...policy, waitForCardDays: 5, classes: { card: { retryAfterDays: [], card: 'other' } } } as const;
const hard = { class: 'card', reason: '분실 신고' } as const;
const lostCard = { id: 'card', declines: 1, refusals: 0, lastTriedAt: dueAt, declined: 'card' } as const;
const newCard = { id: 'new', declines: 0, refusals: 0, lastTriedAt: null, declined: null } as const;
const { waitForCardDays: _, ...ofBefore } = lost;

test.each([
  // cards, days since the last attempt, hours for which a send without an answer bars, policy → what follows
  ['only the lost one', [lostCard], 4, null, lost, { kind: 'await-card', at: dueAt.plus(days(5)) }],
  ['only the lost one', [lostCard], 5, null, lost, { kind: 'give-up', reason: 'no_card_left' }],
  ['only the lost one', [lostCard], 0, null, ofBefore, { kind: 'give-up', reason: 'no_card_left' }], // as before
  ['another one', [newCard, lostCard], 4, null, lost, { kind: 'retry', at: dueAt, cardId: null }],
  ['another one', [newCard, lostCard], 4, 99, lost, { kind: 'retry', at: dueAt.plus({ hours: 99 }), cardId: null }],
  ['another one', [newCard, lostCard], 4, 96, lost, { kind: 'retry', at: dueAt, cardId: null }], // over by now
] as const)('no card was left, and now there is %s', (_cards, cards, late, barredHours, by, expected) => {
  const barredUntil = barredHours === null ? null : dueAt.plus({ hours: barredHours });
  const collecting = { cards, cardId: 'card', declinesAreFinal: true, seed: '' };
  const told = { decline: hard, barredUntil, releasedAt: null };
  expect(decideAgain({ ...standing(1, 0), collecting }, told, by, dueAt.plus(days(late)))).toEqual(expected);
});

test('where no send is on record, what follows an answer is counted from when it came', () => {
  const now = dueAt.plus(days(10));
  const unsent = { ...standing(0, 0), sentAt: null };
  const lookUp = { kind: 'look-up', at: now.plus({ seconds: 5 }) };
  expect(decide(unsent, { kind: 'unknown', reason: 'lost' }, policy, now)).toEqual(lookUp);
  expect(decide(unsent, { kind: 'not-found', horizon: 'open' }, policy, now)).toEqual(lookUp);
  expect(decide(unsent, declined, policy, now)).toEqual({ kind: 'retry', at: now.plus(days(1)), cardId: null });
  const collecting = { cards: [lostCard], cardId: 'card', declinesAreFinal: true, seed: '' };
  const again = decideAgain(
    { ...unsent, collecting },
    { decline: hard, barredUntil: null, releasedAt: null },
    lost,
    now,
  );
  expect(again).toEqual({ kind: 'await-card', at: now.plus(days(5)) });
});

test('a card is waited for anew from when its invoice was let go: while it was held nobody could give one', () => {
  const collecting = { cards: [lostCard], cardId: 'card', declinesAreFinal: true, seed: '' };
  const releasedAt = dueAt.plus(days(30));
  const told = { decline: hard, barredUntil: null, releasedAt };
  const decide = (late: number) => decideAgain({ ...standing(1, 0), collecting }, told, lost, dueAt.plus(days(late)));
  expect(decide(30)).toEqual({ kind: 'await-card', at: releasedAt.plus(days(5)) });
  expect(decide(35)).toEqual({ kind: 'give-up', reason: 'no_card_left' });
});

test('look-ups come within seconds, then minutes, hourly to the end of the day, then daily, at offsets from the send', () => {
  const offsets: number[] = [];
  for (let at: DateTime = dueAt; offsets.length < 37; ) {
    at = nextLookUpAt(dueAt, at);
    offsets.push(at.diff(dueAt).as('seconds'));
  }
  expect(offsets.slice(0, 8)).toEqual([5, 15, 45, 120, 300, 600, 1_200, 2_400]);
  // Past the end of the longest call: a horizon of whole hours is over by then.
  expect(offsets.slice(8, 32)).toEqual(Array.from({ length: 24 }, (_, index) => (index + 1) * 3_600 + 305));
  expect(offsets.slice(32)).toEqual([2, 3, 4, 5, 6].map((day) => day * 86_400));
});

test.each([
  // the horizon, seconds since the send → until the next look-up
  ['open', 60, 60],
  ['over', 60, 60],
  ['open', 4_000, 3_505],
  ['over', 4_000, 60], // only answers are missing for a proof: they are asked for by the minute
  ['over', 40 * 86_400, 60],
  ['open', 3_904.5, 0.5],
  ['over', 3_904.5, 0.5],
] as const)(
  '"never heard of it" with the horizon %s, %d s after the send, is asked again %d s later',
  (horizon, since, seconds) => {
    const now = dueAt.plus({ seconds: since });
    const decision = decide(standing(0, 0), { kind: 'not-found', horizon }, policy, now);
    expect(decision).toEqual({ kind: 'look-up', at: now.plus({ seconds }) });
  },
);

test('a look-up always lies ahead, and never more than a day', () => {
  fc.assert(
    fc.property(fc.nat(400 * 86_400_000), (elapsedMs) => {
      const now = dueAt.plus(elapsedMs);
      const at = nextLookUpAt(dueAt, now);
      expect(at > now).toBe(true);
      expect(at.diff(now).as('days')).toBeLessThanOrEqual(1);
    }),
  );
});

test('every ladder ends, climbs, and keeps a day between two attempts, whenever the answers come', () => {
  const ladders = fc
    .uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 8 })
    .map((rungs) => rungs.sort((a, b) => a - b));
  fc.assert(
    fc.property(ladders, fc.infiniteStream(fc.nat(72)), (retryAfterDays, delays) => {
      let sentAt: DateTime = dueAt;
      for (let failures = 0; ; failures += 1) {
        const now = sentAt.plus({ hours: delays.next().value ?? 0 });
        const decision = decide(
          { ...standing(failures, 0), sentAt, collecting: after(failures, sentAt) },
          declined,
          { ...policy, retryAfterDays },
          now,
        );
        if (decision.kind === 'give-up') {
          expect(failures).toBe(retryAfterDays.length);
          return;
        }
        if (decision.kind !== 'retry') throw new Error(decision.kind);
        expect(decision.at.diff(sentAt).as('hours')).toBeGreaterThanOrEqual(24);
        sentAt = decision.at;
      }
    }),
  );
});

test('paid settles; what contradicts is for a person', () => {
  expect(decide(standing(0, 0), { kind: 'paid', record: PAID }, policy, dueAt)).toEqual({ kind: 'settle' });
  expect(decide(standing(0, 0), { kind: 'review', reason: 'why' }, policy, dueAt)).toEqual({
    kind: 'review',
    reason: 'why',
  });
});
