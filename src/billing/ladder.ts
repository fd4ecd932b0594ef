import type { DateTime } from 'luxon';
import type { DeclineClass } from './charge.ts';
import { decide } from './dunning.ts';
import { type Ending, endingOf } from './ending.ts';
import { afterDecline, type CardStanding } from './next-try.ts';
import type { Access, DunningPolicy, Step } from './policy.ts';
import { hasRoom } from './retry-time.ts';

/** An attempt of a ladder: its number, when it is made, days since the due date, and which card, counted from 1. */
type Rung = { readonly number: number; readonly at: DateTime; readonly days: number; readonly card: number };

/** A step of a ladder: when it is entered, after a try of the same day where there is one, and what it leaves of access. */
type Stride = { readonly name: string; readonly at: DateTime; readonly access: Access | null };

/** What a policy leads to where every attempt is declined in the same way: its attempts, and how that ends. */
export type Ladder = {
  readonly rungs: readonly Rung[];
  /** Those that are entered before its end. */
  readonly steps: readonly Stride[];
  /** By how many minutes a retry may be later, and whether its window always leaves room for that. */
  readonly jitter: { readonly minutes: number; readonly room: 'enough' | 'short' };
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
export function ladderOf(policy: DunningPolicy, of: LadderOf): Ladder {
  const { dueAt, declined, cards: count, declinesAreFinal, seed } = of;
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
      return { ...climbed(rungs, at, policy, of), awaitsUntil: null, ...ended(decision, policy) };
    if (decision.kind === 'await-card') {
      const end = { kind: 'give-up', reason: 'no_card_left' } as const;
      return { ...climbed(rungs, decision.at, policy, of), awaitsUntil: decision.at, ...ended(end, policy) };
    }
    cards = afterDecline(collecting, declined, at);
    card = Number(decision.cardId ?? 1);
    at = decision.at;
  }
}

/** What is climbed, and entered, until its end. */
function climbed(rungs: readonly Rung[], until: DateTime, policy: DunningPolicy, { dueAt, declined }: LadderOf) {
  const { jitterMinutes: minutes = 0 } = policy;
  // What is refused for the merchant's own account enters none.
  const steps = declined === 'config' ? [] : (policy.steps ?? []);
  const entered = steps.map((step) => enteredAt(step, dueAt, rungs)).filter(({ at }) => at < until);
  const room = rungs.slice(1).every(({ at }) => hasRoom(at, policy)) ? 'enough' : 'short';
  return { rungs, steps: entered, jitter: { minutes, room } } as const;
}

/** On its day after the due date; where a try is planned within a day from then, that goes first, the last one of several. */
function enteredAt({ name, afterDays, access }: Step, dueAt: DateTime, rungs: readonly Rung[]): Stride {
  const day = dueAt.plus({ hours: afterDays * 24 });
  const tries = rungs.filter(({ at }) => at >= day && at < day.plus({ hours: 24 }));
  return { name, at: tries.at(-1)?.at ?? day, access: access ?? null };
}

function ended(...end: Parameters<typeof endingOf>): Pick<Ladder, 'end' | 'endsAs' | 'subscription'> {
  const { state, reason, subscription } = endingOf(...end);
  return { end: reason, endsAs: state, subscription };
}

function untried(id: string): CardStanding {
  return { id, declines: 0, refusals: 0, lastTriedAt: null, declined: null };
}

const FIRST_SEND = { timesNotSent: 0, unsettledSince: null, sends: 1, quarantineSeconds: 0 };
