import { expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import type { AttemptEvent, AttemptStanding } from '../../src/billing/attempt.ts';
import type { PaymentRecord } from '../../src/billing/charge.ts';
import type { ChargeOutcome } from '../../src/billing/outcome.ts';
import { transition } from '../../src/billing/transition.ts';

const now = DateTime.utc(2027, 1, 31, 1);
const POLICY = { retryAfterDays: [1], minGapHours: 24 };
const QUARANTINE = 3 * 86_400;
const card = { id: 'card', declines: 0, refusals: 0, lastTriedAt: null, declined: null };
const decline = { class: 'funds', reason: '한도초과' } as const;
const RECORD: PaymentRecord = {
  ...{ impUid: 'imps_1', merchantUid: 'uid', status: 'paid', amount: null, cancelMinor: 0, customerUid: null },
  ...{ sandbox: true, decline: null, startedAtMs: null, paidAtMs: null, failedAtMs: null, raw: {} },
};

/** Sent once, just now, and never declined before. */
const standing = (fields: Partial<AttemptStanding> = {}): AttemptStanding => ({
  ...{ state: 'prepared', dueAt: now, sentAt: now, failures: 0, timesNotSent: 0, unsettledSince: null, sends: 1 },
  ...{ quarantineSeconds: QUARANTINE },
  collecting: { cards: [card], cardId: 'card', declinesAreFinal: true, seed: '' },
  ...fields,
});
const UNSENT = { sentAt: null, sends: 0 };
const after = (event: AttemptEvent, fields: Partial<AttemptStanding> = {}, policy = POLICY) =>
  transition(standing(fields), event, policy, now);
const came = (outcome: ChargeOutcome, fields: Partial<AttemptStanding> = {}, policy = POLICY) =>
  after({ kind: 'outcome', outcome }, fields, policy);

test.each<[string, AttemptEvent, object]>([
  [
    'what is withdrawn to be held waits for a person',
    { kind: 'withdrawn', to: 'held', reason: 'over_max_amount' },
    { attempt: { state: 'canceled' }, invoice: { state: 'held', reason: 'over_max_amount' } },
  ],
  [
    'what is withdrawn because nothing is owed is void',
    { kind: 'withdrawn', to: 'void', reason: 'subscription_canceled' },
    { attempt: { state: 'canceled' }, invoice: { state: 'void', reason: 'subscription_canceled' } },
  ],
  [
    'what is deferred goes then, as it stands',
    { kind: 'deferred', until: now.plus({ hours: 3 }), reason: 'capped' },
    { attempt: { state: 'prepared' }, invoice: { state: 'open', nextAt: now.plus({ hours: 3 }) } },
  ],
  [
    'what was overtaken by a payment makes room for it, and no sweep comes in between',
    { kind: 'overtaken' },
    {
      attempt: { state: 'canceled', failReason: 'another attempt was paid after all' },
      invoice: { state: 'retrying', nextAt: now.plus({ minutes: 2 }) },
    },
  ],
])('%s, and only from before its send', (_rule, event, expected) => {
  expect(after(event, UNSENT)).toMatchObject({ from: ['prepared'], fence: 'fenced', ...expected });
});

test('a withdrawal is told of by what it comes to', () => {
  const kinds = (to: 'held' | 'void') => after({ kind: 'withdrawn', to, reason: 'r' }).events.map(({ kind }) => kind);
  expect([kinds('held'), kinds('void')]).toEqual([['invoice.held'], ['invoice.voided']]);
});

test('a payment settles from wherever a send may be, whoever has the lease; a late one from where it was judged', () => {
  const settled = { fence: 'unfenced', attempt: { state: 'paid', impUid: 'imps_1' }, invoice: { state: 'paid' } };
  const paid = came({ kind: 'paid', record: RECORD });
  expect(paid).toMatchObject({ ...settled, from: ['prepared', 'sent', 'unknown'], subscription: 'settled' });
  expect(paid.events.map(({ kind }) => kind)).toEqual(['charge.succeeded', 'invoice.paid']);
  const late = after({ kind: 'captured', impUid: 'imps_1', merchantUid: 'uid' }, { state: 'declined', failures: 1 });
  expect(late).toMatchObject({ ...settled, from: ['declined'], subscription: 'settled' });
  expect(late.events.map(({ kind }) => kind)).toEqual(['charge.captured_late', 'invoice.paid']);
});

test.each<[string, AttemptEvent, Partial<AttemptStanding>, boolean]>([
  ['paid by its only send', { kind: 'outcome', outcome: { kind: 'paid', record: RECORD } }, {}, false],
  ['paid by one of two sends', { kind: 'outcome', outcome: { kind: 'paid', record: RECORD } }, { sends: 2 }, true],
  ['paid after a decline', { kind: 'outcome', outcome: { kind: 'paid', record: RECORD } }, { failures: 1 }, true],
  ['withdrawn, never sent', { kind: 'withdrawn', to: 'void', reason: 'r' }, UNSENT, false],
  ['withdrawn after a send', { kind: 'withdrawn', to: 'void', reason: 'r' }, {}, true],
  ['deferred after a send', { kind: 'deferred', until: now, reason: 'r' }, {}, false], // it goes on
  ['for a person', { kind: 'outcome', outcome: { kind: 'review', reason: 'r' } }, {}, true],
])('what ends is looked at once more where another send of it may land: %s', (_what, event, fields, isWatched) => {
  const watchAt = isWatched ? now.plus({ seconds: QUARANTINE }) : undefined;
  expect(after(event, fields).invoice.watchAt).toEqual(watchAt);
});

test('what is given up at its first decline is looked at once more', () => {
  const policy = { ...POLICY, retryAfterDays: [] };
  const { invoice } = came({ kind: 'declined', decline, impUid: 'imps_1', unanswered: 0 }, UNSENT, policy);
  expect(invoice).toMatchObject({ state: 'uncollectible', watchAt: now.plus({ seconds: QUARANTINE }) });
});

test.each<[ChargeOutcome, object]>([
  [
    { kind: 'unknown', reason: 'lost' },
    { state: 'unknown', failReason: 'lost' },
  ],
  [
    { kind: 'not-found', horizon: 'open' },
    { state: 'unknown', failReason: 'the gateway knows no such payment yet', notFound: true }, // one more towards a proof
  ],
])('after %j it is looked up, and told of when it becomes unknown and no more', (outcome, attempt) => {
  const lookUp = { from: ['sent', 'unknown'], invoice: { state: 'open', nextAt: now.plus({ seconds: 5 }) } };
  expect(came(outcome)).toMatchObject({ ...lookUp, events: [{ kind: 'charge.unknown' }] });
  expect(came(outcome, { state: 'unknown' })).toMatchObject({ ...lookUp, events: [] });
  const sentAt = now.minus({ days: 2, minutes: 1 });
  const longAgo = came(outcome, { state: 'unknown', sentAt }).events;
  expect(longAgo.map(({ kind }) => kind)).toEqual(['charge.unknown']); // every day, once it is looked up by the day
  expect(came(outcome).attempt).toEqual(attempt);
});

test('what was proved absent goes again at once under its own id, and that is told', () => {
  const { from, attempt, invoice, events } = came({ kind: 'absent', beside: 'imps_2' }, { state: 'unknown' });
  expect([from, attempt.state, attempt.notSent]).toEqual([['unknown'], 'prepared', undefined]);
  expect(invoice).toEqual({ state: 'open', nextAt: now });
  expect(events.map(({ kind }) => kind)).toEqual(['charge.proved_absent']);
});

test('what is not sent is put off; whether an id is unsettled is kept where it was not asked', () => {
  const { attempt } = came({ kind: 'not-sent', reason: 'down' });
  expect(attempt).toEqual({ state: 'prepared', failReason: 'down', notSent: true });
  expect(came({ kind: 'not-sent', reason: 'ready', unsettled: true }).attempt).toMatchObject({ unsettled: true });
  expect(came({ kind: 'not-sent', reason: 'down', unsettled: false }).attempt).toMatchObject({ unsettled: false });
});

test('what is unsettled for a day is put before a person', () => {
  const unsettled = { kind: 'not-sent', reason: 'imps_1 is ready', unsettled: true } as const;
  const told = { decision: 'review', invoice: { state: 'review', reason: 'imps_1 is ready; so for a day' } };
  expect(came(unsettled, { unsettledSince: now.minus({ days: 1 }) })).toMatchObject(told);
  const since = now.minus({ hours: 23 });
  expect(came(unsettled, { unsettledSince: since })).toMatchObject({ decision: 'send-again' });
  const settled = { ...unsettled, unsettled: false };
  expect(came(settled, { unsettledSince: now.minus({ days: 1 }) })).toMatchObject({ decision: 'send-again' });
});

test('a refusal without a record answers a send alone; a decline may also be found before the next one', () => {
  const declined = came({ kind: 'declined', decline, impUid: 'imps_1', unanswered: 0 });
  expect(declined).toMatchObject({ from: ['prepared', 'sent', 'unknown'], attempt: { impUid: 'imps_1' } });
  const rejected = came({ kind: 'rejected', decline, unanswered: 0 });
  expect(rejected.from).toEqual(['sent', 'unknown']);
  expect(rejected.attempt).toEqual({ state: 'rejected', declineClass: 'funds', failReason: '한도초과' });
});

test('a send that a decline does not answer bars every other id for as long as it may land', () => {
  const { attempt, invoice } = came({ kind: 'rejected', decline, unanswered: 1 });
  expect(attempt.unansweredAt).toEqual(now);
  expect(invoice.nextAt).toEqual(now.plus({ seconds: QUARANTINE }));
  expect(came({ kind: 'rejected', decline, unanswered: 0 }).invoice.nextAt).toEqual(now.plus({ days: 1 }));
});

test('a wait for a card is decided on anew while it lasts, and the attempt stays as it ended', () => {
  const event = { kind: 'card_awaited', decline, barredUntil: null, releasedAt: null } as const;
  const next = after(event, { state: 'rejected', failures: 1 }, { ...POLICY, retryAfterDays: [] });
  expect(next).toMatchObject({ from: ['rejected'], whileAwaiting: true, attempt: { state: 'rejected' } });
});

test('an invoice with a failure behind it stays retrying while its next attempt is under way', () => {
  expect(came({ kind: 'unknown', reason: 'lost' }, { failures: 1 }).invoice.state).toBe('retrying');
  expect(came({ kind: 'not-sent', reason: 'down' }, { failures: 1 }).invoice.state).toBe('retrying');
});
