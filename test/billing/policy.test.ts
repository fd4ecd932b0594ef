import { expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import type { AttemptStanding } from '../../src/billing/attempt.ts';
import { decide, instantOf } from '../../src/billing/dunning.ts';
import { ladderOf } from '../../src/billing/ladder.ts';
import type { CardStanding } from '../../src/billing/next-try.ts';
import type { ChargeOutcome } from '../../src/billing/outcome.ts';
import { type DunningPolicy, lastDay, mostAttempts, mostDeclines, ruleFor } from '../../src/billing/policy.ts';
import { transition } from '../../src/billing/transition.ts';

const OLD: DunningPolicy = { retryAfterDays: [1, 3, 5], minGapHours: 24 };
const dueAt = DateTime.utc(2027, 1, 31, 1);
const decline = { class: 'funds', reason: '한도초과' } as const;
const declined: ChargeOutcome = { kind: 'declined', decline, impUid: 'imps_1', unanswered: 0 };

/** Declined on the last rung of a ladder without any. */
function standing(cards: readonly CardStanding[] = [card('one')]): AttemptStanding {
  const collecting = { cards, cardId: 'one', declinesAreFinal: true, seed: '' };
  const rest = { timesNotSent: 0, unsettledSince: null, sends: 1, quarantineSeconds: 86_400, collecting };
  return { state: 'sent', dueAt, sentAt: dueAt, failures: 0, ...rest };
}

function card(id: string): CardStanding {
  return { id, declines: 0, refusals: 0, lastTriedAt: null, declined: null };
}

const after = (policy: Partial<DunningPolicy>) =>
  transition(standing(), { kind: 'outcome', outcome: declined }, { ...OLD, retryAfterDays: [], ...policy }, dueAt);

test('a policy of before classes has one ladder for all of them, on the same card', () => {
  expect(ruleFor(OLD, 'fraud')).toEqual({ retryAfterDays: [1, 3, 5], card: 'same' });
  expect(ruleFor({ ...OLD, classes: { fraud: { retryAfterDays: [], card: 'other' } } }, 'fraud').card).toBe('other');
});

test.each<[Partial<DunningPolicy>, number, number]>([
  [{}, 5, 4],
  [{ waitForCardDays: 9 }, 5, 4], // nothing ends a card for good
  [{ waitForCardDays: 9, classes: { card: { retryAfterDays: [], card: 'other' } } }, 14, 4],
  [{ classes: { card: { retryAfterDays: [], card: 'other' } } }, 5, 4], // nobody waits for another one
  [{ retryAfterDays: [2, 'payday', 'payday'], paydays: [10] }, 66, 4],
  [{ retryAfterDays: ['payday', 'payday'], paydays: [25, 10] }, 34, 3], // 25 January to 10 February
  [{ retryAfterDays: ['payday'], paydays: [10], minGapHours: 96 }, 35, 2],
  [{ retryAfterDays: ['payday'], minGapHours: 24 }, 2, 2], // no payday is named: the next day
  [{ classes: { funds: { retryAfterDays: [1, 2, 3, 30], card: 'next' } } }, 30, 5],
])('%j ends on day %i, after %i declines of a card', (policy, day, attempts) => {
  expect(lastDay({ ...OLD, ...policy })).toBe(day);
  expect(mostDeclines({ ...OLD, ...policy })).toBe(attempts);
});

test('what the account is refused for comes on top of what a card may be declined, on each card', () => {
  const policy: DunningPolicy = { ...OLD, classes: { config: { retryAfterDays: [1, 2], card: 'same' } } };
  expect([mostAttempts(policy, 1), mostAttempts(policy, 3)]).toEqual([6, 18]);
  expect(mostAttempts(policy, 0)).toBe(6);
});

test('no payday lies further ahead: the gap may end on one, past its window', () => {
  const policy: DunningPolicy = {
    retryAfterDays: ['payday', 'payday'],
    minGapHours: 24,
    paydays: [10],
    window: { from: '09:00', until: '21:00', timezone: 'Asia/Seoul' },
  };
  const due = DateTime.fromISO('2027-01-09T22:00', { zone: 'Asia/Seoul' });
  const of = { dueAt: due, declined: 'funds', cards: 1, declinesAreFinal: true, seed: null } as const;
  const { rungs } = ladderOf(policy, of);
  expect(rungs.map(({ at }) => at.toFormat('yyyy-LL-dd HH:mm'))).toEqual([
    '2027-01-09 22:00',
    '2027-02-10 09:00',
    '2027-03-10 09:00',
  ]);
  expect(rungs[1]?.at.diff(due).as('days')).toBeGreaterThan(31);
  expect(lastDay({ ...policy, retryAfterDays: ['payday'] })).toBe(32);
});

test.each<[Partial<DunningPolicy>, string, string, readonly string[]]>([
  [{}, 'unpaid', 'retries_exhausted', []],
  [{ end: 'pause' }, 'pause', 'retries_exhausted', ['subscription.paused']],
  [{ end: 'cancel' }, 'cancel', 'retries_exhausted', ['subscription.canceled']],
  [{ end: 'write_off' }, 'write_off', 'written_off', []],
  [{ end: 'unpaid', later: 'accumulate' }, 'accumulate', 'retries_exhausted', []],
])('what is given up under %j leaves the subscription to %s', (policy, subscription, reason, told) => {
  const { invoice, subscription: becomes, events } = after(policy);
  expect([invoice.state, invoice.reason, becomes]).toEqual(['uncollectible', reason, subscription]);
  expect(events.map(({ kind }) => kind)).toEqual(['charge.failed', 'invoice.uncollectible', ...told]);
});

test('an invoice that the merchant’s own account was refused for to the end is held, and its subscription stays past due', () => {
  const refusal = { ...declined, decline: { class: 'config', reason: '가맹점 오류' } } as const;
  const policy: DunningPolicy = { ...OLD, retryAfterDays: [], end: 'cancel' };
  const { invoice, subscription, events } = transition(
    standing(),
    { kind: 'outcome', outcome: refusal },
    policy,
    dueAt,
  );
  expect([invoice.state, invoice.reason, subscription]).toEqual(['held', 'account_refused', 'past_due']);
  expect(events.map(({ kind }) => kind)).toEqual(['charge.failed', 'invoice.held']);
});

test('a card that is tried next instead of the subscription’s own is named', () => {
  const policy: DunningPolicy = {
    ...OLD,
    classes: { funds: { retryAfterDays: [1], card: 'next' } },
  };
  const first = standing([card('one'), card('two')]);
  const next = transition(first, { kind: 'outcome', outcome: declined }, policy, dueAt);
  expect(next.invoice).toMatchObject({ state: 'retrying', retryCardId: 'two' });
});

test('where no card is left to try, another one is asked for and waited for until a day that is told', () => {
  const policy = { ...OLD, waitForCardDays: 5, classes: { funds: { retryAfterDays: [], card: 'other' } } } as const;
  const { decision, invoice, subscription, events } = transition(
    standing(),
    { kind: 'outcome', outcome: declined },
    policy,
    dueAt,
  );
  expect([decision, subscription]).toEqual(['await-card', 'past_due']);
  const awaited = { state: 'retrying', reason: 'awaiting_card', nextAt: dueAt.plus({ days: 5 }), failed: true };
  expect(invoice).toEqual(awaited);
  const payload = { decline_class: 'funds', reason: '한도초과', until: '2027-02-05T01:00:00.000Z' };
  expect(events.slice(1)).toEqual([
    { kind: 'invoice.card_needed', payload },
    { kind: 'billing_key.needs_update', payload },
  ]);
});

test('a ladder is printed without jitter, or with that of one invoice', () => {
  const policy = { ...OLD, jitterMinutes: 30, waitForCardDays: 3 };
  const of = { dueAt, declined: 'funds', cards: 1, declinesAreFinal: true } as const;
  const printed = ladderOf(policy, { ...of, seed: null }).rungs.map(({ at }) => at.minute);
  const own = ladderOf(policy, { ...of, seed: 'sub-7 2027-01-31' }).rungs.map(({ at }) => at.minute);
  expect(printed).toEqual([0, 0, 0, 0]);
  expect(new Set(own.slice(1)).size).toBe(1);
  expect(own[1]).toBeGreaterThan(0);
  const hard = { ...policy, classes: { card: { retryAfterDays: [], card: 'other' } } } as const;
  expect(ladderOf(hard, { ...of, declined: 'card', seed: null })).toMatchObject({
    awaitsUntil: dueAt.plus({ days: 3 }),
    end: 'no_card_left',
  });
});

test('a decline is never decided on without the cards of its payer, and an end names no instant', () => {
  expect(() => decide({ ...standing(), collecting: null }, declined, OLD, dueAt)).toThrow(/cards of its payer/);
  expect(() => instantOf({ kind: 'give-up', reason: 'retries_exhausted' })).toThrow(/names no instant/);
});

test('what was sent five times without a trace is for a person, and what is put off for a day is told', () => {
  const absent = { kind: 'absent', beside: 'imps_2' } as const;
  expect(decide({ ...standing(), sends: 5 }, absent, OLD, dueAt)).toMatchObject({ kind: 'review' });
  expect(decide(standing(), absent, OLD, dueAt)).toEqual({ kind: 'send-again', at: dueAt });
  const follows = (sends: number) =>
    transition({ ...standing(), state: 'unknown', sends }, { kind: 'outcome', outcome: absent }, OLD, dueAt);
  expect(follows(5)).toMatchObject({ decision: 'review', attempt: { state: 'review' }, invoice: { state: 'review' } });
  expect(follows(4)).toMatchObject({ decision: 'send-again', attempt: { state: 'prepared' } });
  const putOff = (timesNotSent: number) =>
    transition(
      { ...standing(), timesNotSent },
      { kind: 'outcome', outcome: { kind: 'not-sent', reason: 'down' } },
      OLD,
      dueAt,
    );
  expect([0, 143, 144, 145, 288].map((times) => putOff(times).events.length)).toEqual([0, 0, 1, 0, 1]);
});
