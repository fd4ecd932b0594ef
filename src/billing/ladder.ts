import type { DateTime } from 'luxon';
import type { DeclineClass } from './charge.ts';
import { decide } from './dunning.ts';
import { type Ending, endingOf } from './ending.ts';
import { afterDecline, type CardStanding } from './next-try.ts';
import type { DunningPolicy } from './policy.ts';

/** An attempt of a ladder: its number, when it is made, days since the due date, and which card, counted from 1. */
type Rung = { readonly number: number; readonly at: DateTime; readonly days: number; readonly card: number };

/** What a policy leads to where every attempt is declined in the same way: its attempts, and how that ends. */
export type Ladder = {
  readonly rungs: readonly Rung[];
  /** Until when another card is waited for; null where none is. */
  readonly awaitsUntil: DateTime | null;
  /** The reason of the invoice at its end. */
  readonly end: string;
  readonly endsAs: Ending['state'];
  /** What becomes of its subscription then. */
  readonly subscription: Ending['subscription'];
};

/** The invoice whose ladder it is. */
export type LadderOf = {
  readonly dueAt: DateTime;
  readonly declined: DeclineClass;
  /** How many cards the payer has. */
  readonly cards: number;
  readonly declinesAreFinal: boolean;
  /** What jitter follows from; null for the earliest instants that it allows. */
  readonly seed: string | null;
};

/**
 * The ladder of an invoice, each attempt made when due and declined at once. Asks `decide` itself, so that what is printed
 * is what is done.
 */
export function ladderOf(
  policy: DunningPolicy,
  { dueAt, declined, cards: count, declinesAreFinal, seed }: LadderOf,
): Ladder {
  const decline = { class: declined, reason: declined };
  const outcome = { kind: 'declined', decline, impUid: '', unanswered: 0 } as const;
  const by = seed === null ? { ...policy, jitterMinutes: 0 } : policy;
  const rungs: Rung[] = [];
  let cards: readonly CardStanding[] = Array.from({ length: count }, (_, index) => untried(String(index + 1)));
  let card = 1;
  for (let at = dueAt; ; ) {
    rungs.push({ number: rungs.length + 1, at, days: at.diff(dueAt).as('days'), card });
    const collecting = { cards, cardId: String(card), declinesAreFinal, seed: seed ?? '' };
    const standing = { dueAt, sentAt: at, failures: rungs.length - 1, ...FIRST_SEND, collecting };
    const decision = decide(standing, outcome, by, at);
    if (decision.kind === 'give-up' || decision.kind === 'hold')
      return { rungs, awaitsUntil: null, ...ended(decision, policy) };
    if (decision.kind === 'await-card')
      return { rungs, awaitsUntil: decision.at, ...ended({ kind: 'give-up', reason: 'no_card_left' }, policy) };
    cards = afterDecline(collecting, declined, at);
    card = Number(decision.cardId ?? 1);
    at = decision.at;
  }
}

function ended(...end: Parameters<typeof endingOf>): Pick<Ladder, 'end' | 'endsAs' | 'subscription'> {
  const { state, reason, subscription } = endingOf(...end);
  return { end: reason, endsAs: state, subscription };
}

function untried(id: string): CardStanding {
  return { id, declines: 0, refusals: 0, lastTriedAt: null, declined: null };
}

const FIRST_SEND = { timesNotSent: 0, unsettledSince: null, sends: 1, quarantineSeconds: 0 };
