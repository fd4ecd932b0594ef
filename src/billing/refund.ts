import type { DateTime } from 'luxon';
import { isHorizonOver, type Reach } from './absence.ts';
import type { CancelAnswer, CancellablePayment } from './cancel.ts';
import { nextLookUpAt } from './dunning.ts';
import { assertNever } from './errors.ts';
import { cancelledBefore, judgeSight, type PaymentSight } from './refund-sight.ts';

/** How a refund stands. `prepared` without a next instant is a proposal and waits for a person. */
export type RefundState = 'prepared' | 'sent' | 'unknown' | 'done' | 'failed';

/** Where a refund may go from each state. The database keeps the same chart by a trigger, and a test compares the two. */
export const REFUND_CHART: Readonly<Record<RefundState, readonly RefundState[]>> = {
  prepared: ['sent', 'done', 'failed'],
  sent: ['prepared', 'unknown', 'done', 'failed'],
  unknown: ['sent', 'done', 'failed'],
  done: [],
  failed: [],
};

/** A refund in somebody's hands, and what its decisions rest on. Amounts in minor units, instants by the database's clock. */
export type RefundStanding = Reach & {
  readonly state: 'prepared' | 'sent' | 'unknown';
  readonly amountMinor: number;
  /** What was left to give back when it was asked for: never less than the amount. */
  readonly checksumMinor: number;
  /** What the payment took. */
  readonly capturedMinor: number;
  /** Intents that were not proved unsent. */
  readonly sends: number;
  readonly sentAt: DateTime | null;
  /** Times that somebody took it in hand, this one included. */
  readonly leases: number;
};

/** What happened to a refund. */
export type RefundEvent =
  /** The payment itself was looked at. */
  | { readonly kind: 'looked'; readonly at: PaymentSight }
  | { readonly kind: 'answered'; readonly answer: Exclude<CancelAnswer, { kind: 'refused' }> }
  /** The gateway refused, and the payment was looked at after that. */
  | { readonly kind: 'refused'; readonly reason: string; readonly at: PaymentSight }
  /** Nothing can be sent now: the gateway cannot be reached, or a fence stands against it. */
  | { readonly kind: 'barred'; readonly reason: string };

/** What follows, as data. `send`: an intent may be written, and one POST made; all else is recorded. */
export type RefundStep = { readonly kind: 'send' } | RefundTransition;

export type RefundTransition = {
  readonly kind: 'record';
  /** The states that this may follow; from any other, somebody else's record stands. */
  readonly from: readonly RefundState[];
  /** Facts of the gateway are `unfenced`. */
  readonly fence: 'fenced' | 'unfenced';
  readonly state: Exclude<RefundState, 'sent'>;
  /** When it is taken in hand again; null at its end. */
  readonly nextAt: DateTime | null;
  readonly reason: string | null;
  /** The last intent is proved unsent. */
  readonly notSent?: boolean;
  readonly cancellationId?: string | null;
  /** `refunded`: nothing of the payment is left, so the invoice that it settled ends as well. */
  readonly invoice?: 'refunded';
  /** `gone`: the payment itself is not at the gateway any more. */
  readonly payment?: 'gone';
  readonly event?: 'refund.succeeded' | 'refund.failed';
};

/** The one function of a refund's life: what an event makes of it. Pure: nothing is read and nothing touched. */
export function followRefund(standing: RefundStanding, event: RefundEvent, now: DateTime): RefundStep {
  switch (event.kind) {
    case 'looked':
      return afterLook(standing, event.at, now);
    case 'answered':
      return afterAnswer(standing, event.answer, now);
    case 'refused':
      return afterRefusal(standing, event, now);
    case 'barred':
      return later(standing, event.reason, now);
    default:
      return assertNever(event);
  }
}

/**
 * The payment's own account decides: what was asked for is cancelled, or nothing is, or something that nobody asked for
 * here. Sent again only where nothing is cancelled, and nothing sent may land any more.
 */
function afterLook(standing: RefundStanding, at: PaymentSight, now: DateTime): RefundStep {
  const seen = judgeSight(standing, at);
  switch (seen.kind) {
    case 'given':
      return done(standing, seen.payment);
    case 'unclear':
      return later(standing, seen.reason, now);
    case 'contradicts':
    case 'gone':
      return mayStillLand(standing, now) ? later(standing, seen.reason, now) : failed(seen.reason, seen.kind);
    case 'nothing':
      if (mayStillLand(standing, now)) return later(standing, 'nothing of it is cancelled so far', now);
      if (standing.sends < SENDS_AT_MOST) return { kind: 'send' };
      return failed(`asked for ${standing.sends} times, and nothing of it is cancelled`);
    default:
      return assertNever(seen);
  }
}

function afterAnswer(
  standing: RefundStanding,
  answer: Extract<RefundEvent, { kind: 'answered' }>['answer'],
  now: DateTime,
): RefundTransition {
  switch (answer.kind) {
    case 'done': {
      const given = answer.record.cancelMinor - cancelledBefore(standing);
      if (given >= standing.amountMinor) return done(standing, answer);
      return unknown(standing, `the gateway says that it cancelled, but ${given} and not ${standing.amountMinor}`, now);
    }
    case 'not-sent':
    case 'unauthorized':
      return { ...waiting(['sent'], 'prepared', wait(NOT_SENT, standing.leases, now), answer.reason), notSent: true };
    case 'unknown':
      return unknown(standing, answer.reason, now);
    default:
      return assertNever(answer);
  }
}

/** A refusal is believed only beside a look; it may pass (maintenance at the company), so it is tried a few times. */
function afterRefusal(
  standing: RefundStanding,
  { reason, at }: Extract<RefundEvent, { kind: 'refused' }>,
  now: DateTime,
): RefundTransition {
  const seen = judgeSight(standing, at);
  const refusal = `the gateway refused: ${reason}`;
  switch (seen.kind) {
    case 'given':
      return done(standing, seen.payment);
    case 'unclear':
      return unknown(standing, `${refusal}; ${seen.reason}`, now);
    case 'contradicts':
    case 'gone':
      return failed(`${refusal}; ${seen.reason}`, seen.kind);
    case 'nothing':
      if (standing.sends >= SENDS_AT_MOST) return failed(refusal);
      return waiting(['sent'], 'prepared', wait(REFUSED, standing.sends, now), refusal);
    default:
      return assertNever(seen);
  }
}

function mayStillLand({ state, sentAt, ...reach }: RefundStanding, now: DateTime): boolean {
  return state !== 'prepared' && sentAt !== null && !isHorizonOver(sentAt, now, reach);
}

function done(standing: RefundStanding, { cancellations }: CancellablePayment): RefundTransition {
  const ours = cancellations.findLast(({ minor }) => minor === standing.amountMinor);
  return {
    kind: 'record',
    from: ['prepared', 'sent', 'unknown'],
    fence: 'unfenced',
    state: 'done',
    nextAt: null,
    reason: null,
    cancellationId: ours?.cancellationId ?? null,
    ...(standing.amountMinor === standing.checksumMinor ? { invoice: 'refunded' as const } : {}),
    event: 'refund.succeeded',
  };
}

/** Its end without success: a person reads why. */
function failed(reason: string, payment: 'contradicts' | 'gone' = 'contradicts'): RefundTransition {
  return {
    kind: 'record',
    from: ['prepared', 'sent', 'unknown'],
    fence: 'fenced',
    state: 'failed',
    nextAt: null,
    reason,
    ...(payment === 'gone' ? { payment } : {}),
    event: 'refund.failed',
  };
}

/** Nothing was sent and nothing learnt: as it stands, a while later. */
function later(standing: RefundStanding, reason: string, now: DateTime): RefundTransition {
  if (standing.state !== 'prepared') return unknown(standing, reason, now);
  return waiting(['prepared'], 'prepared', wait(NOT_SENT, standing.leases, now), reason);
}

function unknown({ sentAt }: RefundStanding, reason: string, now: DateTime): RefundTransition {
  return waiting(['sent', 'unknown'], 'unknown', nextLookUpAt(sentAt ?? now, now), reason);
}

function waiting(
  from: readonly RefundState[],
  state: 'prepared' | 'unknown',
  nextAt: DateTime,
  reason: string,
): RefundTransition {
  return { kind: 'record', from, fence: 'fenced', state, nextAt, reason };
}

/** The wait before the next try, by how many there were; the last one holds from then on. */
function wait({ first, rest }: Waits, tries: number, now: DateTime): DateTime {
  return now.plus({ seconds: first[Math.max(tries, 1) - 1] ?? rest });
}

/** Seconds after each of the first tries, and after all the others. */
type Waits = { readonly first: readonly number[]; readonly rest: number };

/** What is refused or lost so often is for a person to find out. */
const SENDS_AT_MOST = 5;
/** Minutes for the network, hours for a company that says no. */
const NOT_SENT: Waits = { first: [5, 30, 60, 120, 300], rest: 600 };
const REFUSED: Waits = { first: [600, 3_600, 21_600], rest: 86_400 };
