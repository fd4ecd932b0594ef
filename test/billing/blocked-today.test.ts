import { expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import type { AttemptStanding } from '../../src/billing/attempt.ts';
import { tomorrow } from '../../src/billing/blocked-today.ts';
import type { Decline } from '../../src/billing/charge.ts';
import type { ChargeOutcome } from '../../src/billing/outcome.ts';
import type { DunningPolicy } from '../../src/billing/policy.ts';
import { transition } from '../../src/billing/transition.ts';

const policyIn = (timezone: string | null): DunningPolicy => ({
  retryAfterDays: [1, 3],
  minGapHours: 1,
  window: timezone === null ? null : { from: '09:00', until: '21:00', timezone },
});

test.each([
  ['the last second of a day', null, '2027-01-31T14:59:59Z', '2027-01-31T15:00:00Z'],
  ['the first instant of a day', null, '2027-01-31T15:00:00Z', '2027-02-01T15:00:00Z'],
  ['a day of the window’s zone', 'Pacific/Auckland', '2027-01-31T10:59:59Z', '2027-01-31T11:00:00Z'],
  ['a day of 23 hours', 'America/New_York', '2027-03-14T05:00:00Z', '2027-03-15T04:00:00Z'],
  ['a day of 25 hours', 'America/New_York', '2027-11-07T04:00:00Z', '2027-11-08T05:00:00Z'],
  ['a day before one without a midnight', 'America/Sao_Paulo', '2018-11-03T12:00:00Z', '2018-11-04T03:00:00Z'],
  ['a day before one with two midnights', 'America/Havana', '2027-11-06T12:00:00Z', '2027-11-07T04:00:00Z'],
])('after %s (%s) tomorrow begins: %s, %s', (_rule, timezone, at, expected) => {
  const begins = tomorrow(DateTime.fromISO(at, { zone: 'utc' }), policyIn(timezone));
  expect(begins.toISO({ suppressMilliseconds: true })).toBe(expected);
});

test('a policy of before there were windows counts the days of Seoul', () => {
  const begins = tomorrow(DateTime.utc(2027, 1, 31, 1), { retryAfterDays: [1], minGapHours: 24 });
  expect(begins).toEqual(DateTime.utc(2027, 1, 31, 15));
});

const sentAt = DateTime.utc(2027, 1, 31, 1);
const card = { id: 'card', declines: 0, refusals: 0, lastTriedAt: null, declined: null };
const standing: AttemptStanding = {
  ...{ state: 'prepared', dueAt: sentAt, sentAt, failures: 0, timesNotSent: 0, unsettledSince: null, sends: 1 },
  ...{ quarantineSeconds: 60, collecting: { cards: [card], cardId: 'card', declinesAreFinal: true, seed: '' } },
};
const TODAY: Decline = { class: 'time', reason: '당일거래 불가', blockedToday: true };
const came = (outcome: ChargeOutcome, fields: Partial<AttemptStanding> = {}, now = sentAt) =>
  transition({ ...standing, ...fields }, { kind: 'outcome', outcome }, policyIn(null), now).attempt;

test('a decline that says so bars its card until tomorrow, whether it left a payment or not', () => {
  const cardBlockedUntil = DateTime.utc(2027, 1, 31, 15);
  expect(came({ kind: 'declined', decline: TODAY, impUid: 'imps_1', unanswered: 0 })).toMatchObject({
    cardBlockedUntil,
  });
  expect(came({ kind: 'rejected', decline: TODAY, unanswered: 0 })).toMatchObject({ cardBlockedUntil });
  const other: Decline = { class: 'time', reason: '점검' };
  expect(came({ kind: 'rejected', decline: other, unanswered: 0 })).not.toHaveProperty('cardBlockedUntil');
});

test('the day is that of the send, however late its decline is found; where none is known, today', () => {
  const late = sentAt.plus({ days: 3 });
  const outcome: ChargeOutcome = { kind: 'declined', decline: TODAY, impUid: 'imps_1', unanswered: 0 };
  expect(came(outcome, {}, late).cardBlockedUntil).toEqual(DateTime.utc(2027, 1, 31, 15));
  expect(came(outcome, { sentAt: null }, late).cardBlockedUntil).toEqual(DateTime.utc(2027, 2, 3, 15));
});
