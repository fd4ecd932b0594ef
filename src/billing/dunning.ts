import { DateTime } from 'luxon';
import { GUARD_SECONDS } from './absence.ts';
import type { Decline } from './charge.ts';
import { assertNever } from './errors.ts';
import { ACCOUNT_REFUSED, WRITTEN_OFF } from './invoice.ts';
import { afterDecline, type Collecting, type Declined, nextTry } from './next-try.ts';
import type { ChargeOutcome } from './outcome.ts';
import type { DunningPolicy } from './policy.ts';

/** Where an invoice stands when an attempt's outcome is known. Instants by the database's clock. */
export type Standing = {
  readonly dueAt: DateTime;
  /** When this attempt was last sent; null if it never was. */
  readonly sentAt: DateTime | null;
  /** Declines before this one. */
  readonly failures: number;
  /** Times this attempt was proved not to have been sent, before this one. */
  readonly timesNotSent: number;
  /** Since when it is put off because one of its ids is neither paid nor failed at the gateway; null when it is not. */
  readonly unsettledSince: DateTime | null;
  /** Intents of this attempt that were not proved unsent, the last one included. */
  readonly sends: number;
  /** H_long: how long a send that nothing answered bars any other id (protocol §2.6). */
  readonly quarantineSeconds: number;
  /** Its policy wrote it off before: whoever tries it again, that stands. */
  readonly isWrittenOff?: boolean;
  /** Null where no decline is to be decided on. */
  readonly collecting: Collecting | null;
};

export type Decision =
  | { readonly kind: 'settle' }
  /** The next attempt, with a new `merchant_uid`, no sooner than this; `cardId` null is the subscription's own card. */
  | { readonly kind: 'retry'; readonly at: DateTime; readonly cardId: string | null }
  /** No card is left to try: another one is waited for, until then. */
  | { readonly kind: 'await-card'; readonly at: DateTime }
  /** The same attempt again, under the same `merchant_uid`. */
  | { readonly kind: 'send-again'; readonly at: DateTime }
  | { readonly kind: 'look-up'; readonly at: DateTime }
  | { readonly kind: 'review'; readonly reason: string }
  /** The ladder is over, but it is the merchant's account that was refused: nobody's subscription ends for that. */
  | { readonly kind: 'hold'; readonly reason: string }
  | { readonly kind: 'give-up'; readonly reason: string };

/** What a decline leads to. */
export type DeclineDecision = Extract<Decision, { kind: 'retry' | 'await-card' | 'hold' | 'give-up' }>;
type Refused = Extract<ChargeOutcome, { kind: 'declined' | 'rejected' }>;
type NotFound = Extract<ChargeOutcome, { kind: 'not-found' }>;

/** When a decision has something done; throws where it is an end. */
export function instantOf(decision: Decision): DateTime {
  if (!('at' in decision)) throw new Error(`a decision to ${decision.kind} names no instant`);
  return decision.at;
}

/** Decides what follows an attempt. Pure: same arguments, same decision, nothing touched. */
export function decide(standing: Standing, outcome: Refused, policy: DunningPolicy, now: DateTime): DeclineDecision;
export function decide(standing: Standing, outcome: ChargeOutcome, policy: DunningPolicy, now: DateTime): Decision;
export function decide(standing: Standing, outcome: ChargeOutcome, policy: DunningPolicy, now: DateTime): Decision {
  switch (outcome.kind) {
    case 'paid':
      return { kind: 'settle' };
    case 'declined':
    case 'rejected':
      return standing.isWrittenOff === true ? WRITE_OFF : nextRung(standing, outcome, policy, now);
    case 'not-sent':
      return putOff(standing, outcome, now);
    case 'absent':
      return sendAgain(standing, now);
    case 'unknown':
      return { kind: 'look-up', at: nextLookUpAt(standing.sentAt ?? now, now) };
    case 'not-found':
      return { kind: 'look-up', at: lookUpForProof(outcome, standing.sentAt ?? now, now) };
    case 'review':
      return { kind: 'review', reason: outcome.reason };
    default:
      return assertNever(outcome);
  }
}

/**
 * The next look-up after `now` for what was sent at `sentAt`: at offsets from the send, within seconds first, hourly
 * to the end of the first day, then daily until a person closes the case (protocol §2.6). Those by the hour come late
 * enough for a horizon of whole hours to be over: it counts from the end of the call.
 */
export function nextLookUpAt(sentAt: DateTime, now: DateTime): DateTime {
  const elapsed = now.diff(sentAt).as('seconds');
  const early = LOOK_UPS_SECONDS.find((offset) => offset > elapsed);
  if (early !== undefined) return sentAt.plus({ seconds: early });
  if (elapsed >= DAY_SECONDS) return sentAt.plus({ seconds: (Math.floor(elapsed / DAY_SECONDS) + 1) * DAY_SECONDS });
  const hours = Math.floor((elapsed - CALL_SECONDS) / HOUR_SECONDS) + 1;
  return sentAt.plus({ seconds: hours * HOUR_SECONDS + CALL_SECONDS });
}

/** Where only answers are missing for a proof of absence, as after an outage of our own, they are asked for by the minute. */
function lookUpForProof({ horizon }: NotFound, sentAt: DateTime, now: DateTime): DateTime {
  const at = nextLookUpAt(sentAt, now);
  return horizon === 'over' ? DateTime.min(at, now.plus({ seconds: ANSWER_SECONDS })) : at;
}

function nextRung(
  standing: Standing,
  { decline, unanswered }: Refused,
  policy: DunningPolicy,
  now: DateTime,
): DeclineDecision {
  const collecting = demandCollecting(standing);
  const lastAttemptAt = standing.sentAt ?? now;
  // A decline answers its own send only: while another may still land, no other id may be charged.
  const barredUntil = unanswered > 0 ? lastAttemptAt.plus({ seconds: standing.quarantineSeconds }) : null;
  const cards = afterDecline(collecting, decline.class, lastAttemptAt);
  const { dueAt } = standing;
  const invoice = { ...collecting, cards, dueAt, declined: decline.class, lastAttemptAt, barredUntil };
  return asDecision(invoice, policy, now, lastAttemptAt);
}

/** The same once more, for a declined invoice whose payer had no card left: another one may have come. */
export function decideAgain(
  standing: Standing,
  event: {
    readonly decline: Decline;
    readonly barredUntil: DateTime | null;
    /** When it was let go after it was held, while nobody could give another card; null where it was not. */
    readonly releasedAt: DateTime | null;
  },
  policy: DunningPolicy,
  now: DateTime,
): DeclineDecision {
  if (standing.isWrittenOff === true) return WRITE_OFF;
  const { decline, barredUntil, releasedAt } = event;
  const { dueAt, sentAt } = standing;
  const lastAttemptAt = sentAt ?? now;
  const bar = barredUntil !== null && barredUntil > now ? barredUntil : null;
  const collecting = demandCollecting(standing);
  const invoice = { ...collecting, dueAt, declined: decline.class, lastAttemptAt, barredUntil: bar };
  return asDecision(invoice, policy, now, releasedAt ?? lastAttemptAt);
}

function demandCollecting({ collecting }: Standing): Collecting {
  if (collecting === null) throw new Error('a decline is decided on the cards of its payer');
  return collecting;
}

/** `since`: from when another card is waited for, where none is left. */
function asDecision(invoice: Declined, policy: DunningPolicy, now: DateTime, since: DateTime): DeclineDecision {
  const next = nextTry(invoice, policy);
  if (next.kind !== 'try' && invoice.declined === 'config') return { kind: 'hold', reason: ACCOUNT_REFUSED };
  if (next.kind === 'exhausted') return { kind: 'give-up', reason: 'retries_exhausted' };
  if (next.kind === 'no-card')
    return awaitCard(DateTime.max(since, invoice.lastAttemptAt).plus({ days: policy.waitForCardDays ?? 0 }), now);
  return { kind: 'retry', at: next.at, cardId: next.cardId === invoice.cards[0]?.id ? null : next.cardId };
}

function awaitCard(until: DateTime, now: DateTime): DeclineDecision {
  return until > now ? { kind: 'await-card', at: until } : { kind: 'give-up', reason: 'no_card_left' };
}

/** What the gateway does not settle for a day, however it is asked, it may never settle: a person must look. */
function putOff(
  { timesNotSent, unsettledSince }: Standing,
  { reason, unsettled }: Extract<ChargeOutcome, { kind: 'not-sent' }>,
  now: DateTime,
): Decision {
  const isStuck = unsettled === true && unsettledSince !== null && now >= unsettledSince.plus({ seconds: DAY_SECONDS });
  if (isStuck) return { kind: 'review', reason: `${reason}; so for a day` };
  return { kind: 'send-again', at: now.plus({ seconds: NOT_SENT[timesNotSent] ?? NOT_SENT_LATER }) };
}

function sendAgain({ sends }: Standing, now: DateTime): Decision {
  if (sends < SENDS_WITHOUT_TRACE) return { kind: 'send-again', at: now };
  return { kind: 'review', reason: `sent ${sends} times, and the gateway never heard of any of them` };
}

const WRITE_OFF = { kind: 'give-up', reason: WRITTEN_OFF } as const;
/** What arrives nowhere so often is no accident of the network. */
const SENDS_WITHOUT_TRACE = 5;
const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;
const ANSWER_SECONDS = 60;
const LOOK_UPS_SECONDS = [5, 15, 45, 120, 300, 600, 1_200, 2_400];
/** The guard, and the longest time limit that a channel may have. */
const CALL_SECONDS = GUARD_SECONDS + 300;
/** What was never sent waits for the network, not for the payer: minutes. */
const NOT_SENT = [5, 30, 60, 120, 300];
const NOT_SENT_LATER = 600;
