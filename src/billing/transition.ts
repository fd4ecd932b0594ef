import type { DateTime } from 'luxon';
import { cardAwaited, refused } from './after-decline.ts';
import type { AttemptEvent, AttemptStanding, Transition } from './attempt.ts';
import { barringToday } from './blocked-today.ts';
import { type Decision, decide, decideAgain, instantOf } from './dunning.ts';
import { assertNever } from './errors.ts';
import type { ChargeOutcome } from './outcome.ts';
import type { DunningPolicy } from './policy.ts';

/** The one function of an attempt's life: what an event makes of it. Pure: nothing is read and nothing touched. */
export function transition(
  standing: AttemptStanding,
  event: AttemptEvent,
  policy: DunningPolicy,
  now: DateTime,
): Transition {
  return watched(follow(standing, event, policy, now), standing, now);
}

function follow(standing: AttemptStanding, event: AttemptEvent, policy: DunningPolicy, now: DateTime): Transition {
  switch (event.kind) {
    case 'outcome':
      return afterOutcome(standing, event.outcome, policy, now);
    case 'withdrawn':
      return withdrawn(event);
    case 'deferred':
      return deferred(standing, event);
    case 'overtaken':
      return overtaken(now);
    case 'card_awaited':
      return cardAwaited(standing, event.decline, decideAgain(standing, event, policy, now), policy);
    case 'captured':
      return captured(standing, event);
    default:
      return assertNever(event);
  }
}

/** What ends after a decline, or after a send that nothing answered, is looked at once more when H_long is over. */
function watched(next: Transition, { failures, sends, quarantineSeconds }: AttemptStanding, now: DateTime): Transition {
  const isAnswered = next.attempt.state === 'paid';
  const mayStillLand = failures > 0 || sends > (isAnswered ? 1 : 0) || next.invoice.failed === true;
  if ('nextAt' in next.invoice || !mayStillLand) return next;
  return { ...next, invoice: { ...next.invoice, watchAt: now.plus({ seconds: quarantineSeconds }) } };
}

function afterOutcome(
  standing: AttemptStanding,
  outcome: ChargeOutcome,
  policy: DunningPolicy,
  now: DateTime,
): Transition {
  switch (outcome.kind) {
    case 'paid':
      return paid(outcome.record.impUid);
    case 'declined':
    case 'rejected': {
      const next = refused(standing, outcome, decide(standing, outcome, policy, now), policy);
      return barringToday(next, outcome.decline, standing.sentAt ?? now, policy);
    }
    case 'not-sent':
      return putOff(standing, outcome, decide(standing, outcome, policy, now));
    case 'absent':
      return absent(standing, outcome.beside, decide(standing, outcome, policy, now));
    case 'not-found':
    case 'unknown':
      return unknown(standing, outcome, decide(standing, outcome, policy, now), now);
    case 'review':
      return review(outcome.reason);
    default:
      return assertNever(outcome);
  }
}

function paid(impUid: string): Transition {
  return {
    from: ['prepared', 'sent', 'unknown'],
    fence: 'unfenced',
    decision: 'settle',
    attempt: { state: 'paid', impUid },
    invoice: { state: 'paid' },
    subscription: 'settled',
    events: ['charge.succeeded', 'invoice.paid'].map((kind) => ({ kind, payload: { imp_uid: impUid } })),
  };
}

/** From the state in which it was judged alone: whatever moved it meanwhile may have seen another capture. */
function captured(
  { state }: AttemptStanding,
  { impUid, merchantUid }: Extract<AttemptEvent, { kind: 'captured' }>,
): Transition {
  const payload = { imp_uid: impUid, merchant_uid: merchantUid };
  return {
    from: [state],
    fence: 'unfenced',
    decision: 'settle',
    attempt: { state: 'paid', impUid },
    invoice: { state: 'paid' },
    subscription: 'settled',
    events: ['charge.captured_late', 'invoice.paid'].map((kind) => ({ kind, payload })),
  };
}

/** The same attempt goes again, under the same id. */
function again(standing: AttemptStanding, decision: Decision, reason: string): Transition {
  return {
    from: ['prepared', 'sent'],
    fence: 'fenced',
    decision: decision.kind,
    attempt: { state: 'prepared', failReason: reason, notSent: true },
    invoice: { state: standingState(standing), nextAt: instantOf(decision) },
    events: [],
  };
}

function putOff(standing: AttemptStanding, { unsettled, reason }: NotSent, decision: Decision): Transition {
  if (decision.kind === 'review') return review(decision.reason);
  const { timesNotSent } = standing;
  const next = again(standing, decision, reason);
  const isLong = timesNotSent > 0 && timesNotSent % A_DAY_OF_WAITS === 0;
  return {
    ...next,
    from: ['prepared', 'sent'],
    attempt: { ...next.attempt, ...(unsettled === undefined ? {} : { unsettled }) },
    events: isLong ? [{ kind: 'charge.put_off', payload: { reason, times: timesNotSent } }] : [],
  };
}

type NotSent = Extract<ChargeOutcome, { kind: 'not-sent' }>;

/** Proved never to have arrived. Not the same as never sent: were it to land after all, only its id protects. */
function absent(standing: AttemptStanding, beside: string, decision: Decision): Transition {
  if (decision.kind === 'review') return review(decision.reason);
  const reason = `the gateway still knows no such payment, and does find ${beside}, which was paid`;
  return {
    ...again(standing, decision, reason),
    from: ['unknown'],
    attempt: { state: 'prepared', failReason: reason },
    events: [{ kind: 'charge.proved_absent', payload: {} }],
  };
}

function unknown(
  standing: AttemptStanding,
  outcome: Extract<ChargeOutcome, { kind: 'unknown' | 'not-found' }>,
  decision: Decision,
  now: DateTime,
): Transition {
  const reason = outcome.kind === 'not-found' ? 'the gateway knows no such payment yet' : outcome.reason;
  return {
    from: ['sent', 'unknown'],
    fence: 'fenced',
    decision: decision.kind,
    attempt: { state: 'unknown', failReason: reason, ...(outcome.kind === 'not-found' ? { notFound: true } : {}) },
    invoice: { state: standingState(standing), nextAt: instantOf(decision) },
    events:
      standing.state === 'prepared' || isLookedUpDaily(decision, now)
        ? [{ kind: 'charge.unknown', payload: { reason } }]
        : [],
  };
}

/** Nobody knows for a day by then: whoever may close the case hears of it every day. */
function isLookedUpDaily(decision: Decision, now: DateTime): boolean {
  return decision.kind === 'look-up' && decision.at.diff(now).as('hours') > 12;
}

function review(reason: string): Transition {
  return {
    from: ['prepared', 'sent', 'unknown'],
    fence: 'fenced',
    decision: 'review',
    attempt: { state: 'review', failReason: reason },
    invoice: { state: 'review', reason },
    events: [{ kind: 'invoice.needs_review', payload: { reason } }],
  };
}

function withdrawn({ to, reason }: Extract<AttemptEvent, { kind: 'withdrawn' }>): Transition {
  return {
    from: ['prepared'],
    fence: 'fenced',
    decision: 'withdraw',
    attempt: { state: 'canceled', failReason: reason },
    invoice: { state: to, reason },
    events: [{ kind: WITHDRAWN[to], payload: { reason } }],
  };
}

const WITHDRAWN = { held: 'invoice.held', void: 'invoice.voided', waived: 'invoice.waived' } as const;

function deferred(
  standing: AttemptStanding,
  { until, reason }: Extract<AttemptEvent, { kind: 'deferred' }>,
): Transition {
  return {
    from: ['prepared'],
    fence: 'fenced',
    decision: 'defer',
    attempt: { state: 'prepared', failReason: reason },
    invoice: { state: standingState(standing), nextAt: until },
    events: [],
  };
}

function overtaken(now: DateTime): Transition {
  return {
    from: ['prepared'],
    fence: 'fenced',
    decision: 'withdraw',
    attempt: { state: 'canceled', failReason: 'another attempt was paid after all' },
    invoice: { state: 'retrying', nextAt: now.plus({ minutes: 2 }) }, // no sweep may come in between
    events: [],
  };
}

/** What is not sent goes again every ten minutes: once a day somebody is told. */
const A_DAY_OF_WAITS = 144;

/** An invoice with a failure behind it stays `retrying` while its next attempt is under way. */
function standingState({ failures }: AttemptStanding): 'open' | 'retrying' {
  return failures > 0 ? 'retrying' : 'open';
}
