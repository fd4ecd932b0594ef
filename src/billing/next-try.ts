import { DateTime } from 'luxon';
import type { DeclineClass } from './charge.ts';
import { type ClassRule, type DunningPolicy, type Rung, ruleFor } from './policy.ts';
import { retryAt, timed } from './retry-time.ts';

/** One of the payer's cards, and how it did on this invoice. Instants by the database's clock. */
export type CardStanding = {
  readonly id: string;
  /** Attempts of this invoice on it that were declined, those left out that were refused for the merchant's account. */
  readonly declines: number;
  /** Those that were refused for the merchant's own account. */
  readonly refusals: number;
  readonly lastTriedAt: DateTime | null;
  /** The class of its last decline on this invoice; null where there was none. */
  readonly declined: DeclineClass | null;
};

/** What else than its attempts decides how an invoice is collected. */
export type Collecting = {
  /** The payer's cards in the order in which they are charged, the subscription's own first. */
  readonly cards: readonly CardStanding[];
  /** The card of the present attempt; null where another one was registered in its place. */
  readonly cardId: string | null;
  /** Whether a decline of this channel never turns into a payment: only then another card may be charged at once. */
  readonly declinesAreFinal: boolean;
  /** What the jitter of its retries follows from. */
  readonly seed: string;
};

/** An invoice whose last attempt was declined, its cards as that left them. */
export type Declined = Collecting & {
  readonly dueAt: DateTime;
  readonly declined: DeclineClass;
  /** When the attempt was sent. */
  readonly lastAttemptAt: DateTime;
  /** Until when no other id may be charged, for a send of this one that nothing answered; null for none. */
  readonly barredUntil: DateTime | null;
};

/** The next try of an invoice: which card and when. Nothing where every card is spent (`no-card`) or the ladder is over. */
export type NextTry =
  | { readonly kind: 'try'; readonly cardId: string; readonly at: DateTime }
  | { readonly kind: 'no-card' }
  | { readonly kind: 'exhausted' };

/** What is decided on beside an attempt, as it was leased. */
export function collectingOf(attempt: Attempted, declinesAreFinal: boolean): Collecting {
  return { cards: attempt.cards, cardId: attempt.cardId, declinesAreFinal, seed: seedOf(attempt) };
}

/** The seed of an invoice: the same after a restore, and in a simulation of it. */
export function seedOf({ subscription, periodKey }: Pick<Attempted, 'subscription' | 'periodKey'>): string {
  return `${subscription.externalId} ${periodKey}`;
}

type Attempted = {
  readonly cards: readonly CardStanding[];
  readonly cardId: string | null;
  readonly subscription: { readonly externalId: string };
  readonly periodKey: string;
};

/** The cards after one more decline of the present one. */
export function afterDecline(
  { cards, cardId }: Collecting,
  declined: DeclineClass,
  lastTriedAt: DateTime,
): readonly CardStanding[] {
  return cards.map((card) =>
    card.id === cardId ? { ...card, ...counted(card, declined), lastTriedAt, declined } : card,
  );
}

/** What is the account's fault uses up none of the payer's rungs, and the other way round. */
function counted({ declines, refusals }: CardStanding, declined: DeclineClass) {
  return declined === 'config' ? { refusals: refusals + 1 } : { declines: declines + 1 };
}

/**
 * Which card is tried next, and when: another card that was not tried for a gap, at once where nothing may still land;
 * else the earliest rung of any card that may be tried again. A card that was declined for good is not tried again.
 */
export function nextTry(invoice: Declined, policy: DunningPolicy): NextTry {
  const { cards, cardId, declined } = invoice;
  const open = cards.filter((card) => isOpen(card, policy));
  const rule = ruleFor(policy, declined);
  // A card that the payer gave instead of the one that was declined is tried whatever the rule.
  const others = open.filter((card) => card.id !== cardId && (rule.card !== 'same' || card === cards[0]));
  const fresh = others.find((card) => isRested(card, invoice, policy));
  if (fresh !== undefined) return { kind: 'try', cardId: fresh.id, at: onAnotherCard(invoice, policy) };
  const rungs = open.flatMap((card) => {
    const rung = rungOf(card, policy);
    return rung === undefined
      ? []
      : [{ kind: 'try' as const, cardId: card.id, at: onRung(card, rung, invoice, policy) }];
  });
  const [first] = rungs.sort((one, other) => one.at.toMillis() - other.at.toMillis());
  if (first !== undefined) return first;
  return open.length === 0 ? { kind: 'no-card' } : { kind: 'exhausted' };
}

/** Whether it may be tried on this invoice again at all. */
function isOpen({ declined }: CardStanding, policy: DunningPolicy): boolean {
  return declined === null || ruleFor(policy, declined).card !== 'other';
}

/** Whether it may be tried beside the one that was just declined: no card more often than once in a gap. */
function isRested(card: CardStanding, { lastAttemptAt }: Declined, policy: DunningPolicy): boolean {
  if (card.lastTriedAt === null) return true;
  const isOnLadder = rungOf(card, policy) !== undefined;
  return isOnLadder && card.lastTriedAt.plus({ hours: policy.minGapHours }) <= lastAttemptAt;
}

/** The rung that it stands before; a card that was never tried stands before none. */
function rungOf({ declines, refusals, declined }: CardStanding, policy: DunningPolicy): Rung | undefined {
  if (declined === null) return undefined;
  const { retryAfterDays }: ClassRule = ruleFor(policy, declined);
  return retryAfterDays[(declined === 'config' ? refusals : declines) - 1];
}

function onAnotherCard(
  { lastAttemptAt, declinesAreFinal, barredUntil, seed }: Declined,
  policy: DunningPolicy,
): DateTime {
  const isFree = declinesAreFinal && barredUntil === null;
  const earliest = isFree ? lastAttemptAt : lastAttemptAt.plus({ hours: policy.minGapHours });
  return inWindow(DateTime.max(earliest, barredUntil ?? earliest), seed, policy);
}

/** At once where the window is open; jitter is for what everybody would be tried at. */
function inWindow(at: DateTime, seed: string, policy: DunningPolicy): DateTime {
  const open = timed(at, seed, { ...policy, jitterMinutes: 0 });
  return open > at ? timed(at, seed, policy) : at;
}

function onRung(card: CardStanding, rung: Rung, invoice: Declined, policy: DunningPolicy): DateTime {
  const { dueAt, lastAttemptAt, barredUntil, declinesAreFinal, cardId, seed } = invoice;
  // Where the decline of one card may still turn into a payment, the gap is between any two.
  const isFree = declinesAreFinal && card.id !== cardId;
  const after = (isFree ? card.lastTriedAt : null) ?? lastAttemptAt;
  const at = retryAt(rung, { dueAt, lastAttemptAt: after, seed }, policy);
  return barredUntil === null || at >= barredUntil ? at : timed(barredUntil, seed, policy);
}
