import { DateTime } from 'luxon';
import { ATTEMPT_CHART, type AttemptEvent, type AttemptState, type Transition } from '../../src/billing/attempt.ts';
import type { Change, InvoiceStanding } from '../../src/billing/intervention.ts';
import { AWAITING_CARD, INVOICE_CHART, type InvoiceState, STOPPED, WRITTEN_OFF } from '../../src/billing/invoice.ts';
import { afterDecline, type CardStanding } from '../../src/billing/next-try.ts';
import type { DunningPolicy } from '../../src/billing/policy.ts';
import { transition } from '../../src/billing/transition.ts';
import { must } from './must.ts';

export const QUARANTINE = 86_400;
const START = DateTime.utc(2027, 1, 31, 1);
const POLICY: DunningPolicy = {
  retryAfterDays: [1, 3],
  minGapHours: 24,
  waitForCardDays: 5,
  steps: [{ name: 'told', afterDays: 0 }],
  classes: { card: { retryAfterDays: [], card: 'other' }, funds: { retryAfterDays: [1, 3], card: 'next' } },
};

type Attempt = {
  state: AttemptState;
  cardId: string;
  sends: number;
  sentAt: DateTime | null;
  unansweredAt: DateTime | null;
};

/** How an invoice is drawn up; it is told the time by a clock that others may share. */
export type Drawn = {
  readonly clock: { now: DateTime };
  readonly dueAt: DateTime;
  /** When it is first charged; null where it is held for a person. */
  readonly nextAt: DateTime | null;
  readonly reason: string | null;
  readonly policy: DunningPolicy;
  readonly cards: readonly CardStanding[];
};

/** One invoice and what happens to it, carried out as `store/record.ts` and `store/interventions.ts` do. */
export class ModelledInvoice {
  state: InvoiceState;
  reason: string | null;
  nextAt: DateTime | null;
  failures = 0;
  isWatched = false;
  /** It was given up before. */
  isGivenUp = false;
  /** Its policy wrote it off before. */
  isWrittenOff = false;
  cards: readonly CardStanding[];
  readonly attempts: Attempt[] = [];
  retryCardId: string | null = null;
  releasedAt: DateTime | null = null;
  /** Every send, by the attempt's index. */
  readonly sends: { readonly by: number; readonly at: DateTime }[] = [];
  readonly dueAt: DateTime;
  readonly #clock: { now: DateTime };
  readonly #policy: DunningPolicy;

  constructor({ clock, dueAt, nextAt, reason, policy, cards }: Drawn = dueNow()) {
    this.#clock = clock;
    this.#policy = policy;
    this.dueAt = dueAt;
    this.nextAt = nextAt;
    this.reason = reason;
    this.cards = cards;
    this.state = nextAt === null ? 'held' : 'open';
    if (nextAt !== null) this.#prepare();
  }

  get now(): DateTime {
    return this.#clock.now;
  }

  get living(): Attempt | undefined {
    return this.attempts.find(({ state }) => ALIVE.has(state));
  }

  pass(hours: number): void {
    this.#clock.now = this.now.plus({ hours });
  }

  isCollected(): boolean {
    return this.state === 'open' || this.state === 'retrying';
  }

  isDue(): boolean {
    return this.isCollected() && this.reason !== AWAITING_CARD && this.nextAt !== null && this.nextAt <= this.now;
  }

  /** Whether a charge of it is on its way, or waits for a person. */
  isUnderWay(): boolean {
    return this.living !== undefined && this.living.state !== 'prepared';
  }

  /** A scheduler and a worker: the next attempt is made, and an intent is written. */
  send(): void {
    if (!this.isDue()) return;
    if (this.living === undefined) this.#prepare();
    const { living } = this;
    if (living?.state !== 'prepared') return;
    this.#move(living, 'sent');
    living.sends += 1;
    living.sentAt = this.now;
    this.sends.push({ by: this.attempts.indexOf(living), at: this.now });
  }

  /** What came of it; null where nothing did. */
  happens(event: AttemptEvent, attempt = this.living): Transition | null {
    if (attempt === undefined) return null;
    const { failures, now, dueAt, isWrittenOff } = this;
    const collecting = { cards: this.cards, cardId: attempt.cardId, declinesAreFinal: true, seed: 'sub-1' };
    const standing = { ...attempt, dueAt, failures, isWrittenOff, timesNotSent: 0, unsettledSince: null, collecting };
    const next = transition({ ...standing, quarantineSeconds: QUARANTINE }, event, this.#policy, now);
    if (!next.from.includes(attempt.state)) return null;
    if (!this.isCollected() && !(next.invoice.state === 'paid' && this.#mayBePaidLate(attempt))) return null;
    this.#carryOut(attempt, next);
    return next;
  }

  order(change: Change): void {
    const { living } = this;
    if (change.attempt !== null && living !== undefined) this.#move(living, change.attempt);
    if (this.state === 'held') this.releasedAt = this.now;
    this.#becomes(change.invoice.state);
    const kept = this.reason === CATCH_UP ? CATCH_UP : null;
    this.reason = this.isCollected() ? kept : 'somebody said so';
    this.retryCardId = null;
    this.isWatched ||= change.invoice.watchAt !== null;
    this.nextAt = this.isCollected() ? this.now : null;
  }

  /** What the status of its subscription means for it, while no charge of it is under way. */
  settle(as: 'void' | 'hold' | 'release'): void {
    if (this.isUnderWay() || !this.#isSettled(as)) return;
    const { living, now } = this;
    if (as === 'release') {
      const isDeclined = this.attempts.some(({ state }) => state === 'declined' || state === 'rejected');
      this.releasedAt = now;
      this.#becomes(this.failures > 0 ? 'retrying' : 'open');
      this.reason = isDeclined ? AWAITING_CARD : null;
      const gapUntil = this.sends.at(-1)?.at.plus({ hours: this.#policy.minGapHours }) ?? now;
      this.nextAt = isDeclined ? now : DateTime.max(now, gapUntil, this.barredUntil() ?? now);
      return;
    }
    if (living !== undefined) this.#move(living, 'canceled');
    this.#becomes(as === 'void' ? 'void' : 'held');
    this.reason = as === 'void' ? 'subscription_canceled' : STOPPED;
    this.nextAt = null;
  }

  /** Until when a send that nothing answered bars every other charge; null for none. */
  barredUntil(): DateTime | null {
    const unanswered = this.attempts.flatMap(({ unansweredAt, state, sentAt, sends }) => {
      const isOpen = (state === 'review' || state === 'canceled') && sends > 0;
      return [unansweredAt, isOpen ? sentAt : null].filter((at) => at !== null);
    });
    const last = unanswered.reduce<DateTime | null>((best, at) => (best === null || at > best ? at : best), null);
    return last?.plus({ seconds: QUARANTINE }) ?? null;
  }

  standing(status = 'past_due'): InvoiceStanding {
    const { living, state, failures } = this;
    return {
      ...{ state, failures, status },
      living: living === undefined ? null : { state: living.state, hold: 'free' },
      barredUntil: this.barredUntil(),
      lastSentAt: this.sends.at(-1)?.at ?? null,
      ...{ kept: [], returned: [], refunding: [], declinesAreFinal: true },
      ...{ minGapHours: this.#policy.minGapHours, quarantineSeconds: QUARANTINE, now: this.now },
    };
  }

  #prepare(): void {
    const cardId = this.retryCardId ?? this.cards[0]?.id ?? '';
    this.attempts.push({ state: 'prepared', cardId, sends: 0, sentAt: null, unansweredAt: null });
  }

  #isSettled(as: 'void' | 'hold' | 'release'): boolean {
    if (as === 'release') return this.state === 'held' && this.reason === STOPPED;
    return this.isCollected() || (as === 'void' && this.state === 'held');
  }

  #carryOut(attempt: Attempt, { attempt: to, invoice }: Transition): void {
    this.#move(attempt, to.state);
    if (to.notSent === true) attempt.sends -= 1;
    attempt.unansweredAt = to.unansweredAt ?? attempt.unansweredAt;
    if (invoice.failed === true && to.declineClass !== undefined)
      this.cards = afterDecline(
        { cards: this.cards, cardId: attempt.cardId, declinesAreFinal: true, seed: '' },
        to.declineClass,
        attempt.sentAt ?? this.now,
      );
    this.isWrittenOff = invoice.state !== 'paid' && (this.isWrittenOff || invoice.reason === WRITTEN_OFF);
    this.failures += invoice.failed === true ? 1 : 0;
    this.#becomes(invoice.state);
    const kept = this.isCollected() && this.reason !== AWAITING_CARD ? this.reason : null;
    this.reason = invoice.reason ?? kept;
    this.retryCardId = invoice.retryCardId ?? null;
    this.nextAt = invoice.nextAt ?? null;
    this.isWatched ||= invoice.watchAt !== undefined;
  }

  #move(attempt: Attempt, to: AttemptState): void {
    if (attempt.state !== to) must(ATTEMPT_CHART[attempt.state].includes(to), `attempt: ${attempt.state} to ${to}`);
    attempt.state = to;
  }

  #becomes(to: InvoiceState): void {
    if (this.state !== to) must(INVOICE_CHART[this.state].includes(to), `invoice: ${this.state} to ${to}`);
    this.isGivenUp ||= to === 'uncollectible';
    this.state = to;
  }

  #mayBePaidLate(attempt: Attempt): boolean {
    return (
      this.state === 'held' || this.state === 'uncollectible' || (this.state === 'review' && attempt.state === 'review')
    );
  }
}

/** A card that was never tried. */
export function freshCard(id: string): CardStanding {
  return { id, declines: 0, refusals: 0, lastTriedAt: null, declined: null };
}

/** Reason of what an outage made late. */
export const CATCH_UP = 'catch_up';
const ALIVE: ReadonlySet<AttemptState> = new Set(['prepared', 'sent', 'unknown', 'paid', 'review']);

function dueNow(): Drawn {
  const cards = ['first', 'second'].map(freshCard);
  return { clock: { now: START }, dueAt: START, nextAt: START, reason: null, policy: POLICY, cards };
}
