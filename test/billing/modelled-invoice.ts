import { expect } from '@jest/globals';
import { DateTime } from 'luxon';
import { ATTEMPT_CHART, type AttemptEvent, type AttemptState, type Transition } from '../../src/billing/attempt.ts';
import type { Change, InvoiceStanding } from '../../src/billing/intervention.ts';
import { AWAITING_CARD, INVOICE_CHART, type InvoiceState } from '../../src/billing/invoice.ts';
import { afterDecline, type CardStanding } from '../../src/billing/next-try.ts';
import type { DunningPolicy } from '../../src/billing/policy.ts';
import { transition } from '../../src/billing/transition.ts';

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

/** One invoice and what happens to it, carried out as `store/record.ts` and `store/interventions.ts` do. */
export class ModelledInvoice {
  now = START;
  state: InvoiceState = 'open';
  reason: string | null = null;
  nextAt: DateTime | null = START;
  failures = 0;
  isWatched = false;
  cards: readonly CardStanding[] = ['first', 'second'].map((id) => ({
    id,
    declines: 0,
    refusals: 0,
    lastTriedAt: null,
    declined: null,
  }));
  readonly attempts: Attempt[] = [{ state: 'prepared', cardId: 'first', sends: 0, sentAt: null, unansweredAt: null }];
  retryCardId: string | null = null;
  /** Every send, by the attempt's index. */
  readonly sends: { readonly by: number; readonly at: DateTime }[] = [];

  get living(): Attempt | undefined {
    return this.attempts.find(({ state }) => ['prepared', 'sent', 'unknown', 'paid', 'review'].includes(state));
  }

  pass(hours: number): void {
    this.now = this.now.plus({ hours });
  }

  isCollected(): boolean {
    return this.state === 'open' || this.state === 'retrying';
  }

  /** A scheduler and a worker: the next attempt is made, and an intent is written. */
  send(): void {
    if (!this.isCollected() || this.reason === AWAITING_CARD || this.nextAt === null || this.nextAt > this.now) return;
    if (this.living === undefined) {
      const cardId = this.retryCardId ?? this.cards[0]?.id ?? '';
      this.attempts.push({ state: 'prepared', cardId, sends: 0, sentAt: null, unansweredAt: null });
    }
    const { living } = this;
    if (living?.state !== 'prepared') return;
    this.#move(living, 'sent');
    living.sends += 1;
    living.sentAt = this.now;
    this.sends.push({ by: this.attempts.indexOf(living), at: this.now });
  }

  happens(event: AttemptEvent, attempt = this.living): void {
    if (attempt === undefined) return;
    const { failures, now } = this;
    const collecting = { cards: this.cards, cardId: attempt.cardId, declinesAreFinal: true, seed: 'sub-1' };
    const standing = { ...attempt, dueAt: START, failures, timesNotSent: 0, unsettledSince: null, collecting };
    const next = transition({ ...standing, quarantineSeconds: QUARANTINE }, event, POLICY, now);
    if (!next.from.includes(attempt.state)) return;
    if (!this.isCollected() && !(next.invoice.state === 'paid' && this.#mayBePaidLate(attempt))) return;
    this.#carryOut(attempt, next);
  }

  order(change: Change): void {
    const { living } = this;
    if (change.attempt !== null && living !== undefined) this.#move(living, change.attempt);
    this.#becomes(change.invoice.state);
    this.reason = null;
    this.retryCardId = null;
    this.isWatched ||= change.invoice.watchAt !== null;
    this.nextAt = this.isCollected() ? this.now : null;
  }

  standing(): InvoiceStanding {
    const { living } = this;
    const unanswered = this.attempts.flatMap(({ unansweredAt, state, sentAt, sends }) => {
      const isOpen = (state === 'review' || state === 'canceled') && sends > 0;
      return [unansweredAt, isOpen ? sentAt : null].filter((at) => at !== null);
    });
    const last = unanswered.reduce<DateTime | null>((best, at) => (best === null || at > best ? at : best), null);
    return {
      state: this.state,
      failures: this.failures,
      status: 'past_due',
      living: living === undefined ? null : { state: living.state, hold: 'free' },
      barredUntil: last?.plus({ seconds: QUARANTINE }) ?? null,
      lastSentAt: this.sends.at(-1)?.at ?? null,
      ...{ kept: [], returned: [], refunding: [], declinesAreFinal: true },
      ...{ minGapHours: POLICY.minGapHours, quarantineSeconds: QUARANTINE, now: this.now },
    };
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
    this.failures += invoice.failed === true ? 1 : 0;
    this.#becomes(invoice.state);
    this.reason = invoice.reason ?? null;
    this.retryCardId = invoice.retryCardId ?? null;
    this.nextAt = invoice.nextAt ?? null;
    this.isWatched ||= invoice.watchAt !== undefined;
  }

  #move(attempt: Attempt, to: AttemptState): void {
    if (attempt.state !== to) expect(ATTEMPT_CHART[attempt.state]).toContain(to);
    attempt.state = to;
  }

  #becomes(to: InvoiceState): void {
    if (this.state !== to) expect(INVOICE_CHART[this.state]).toContain(to);
    this.state = to;
  }

  #mayBePaidLate(attempt: Attempt): boolean {
    return (
      this.state === 'held' || this.state === 'uncollectible' || (this.state === 'review' && attempt.state === 'review')
    );
  }
}
