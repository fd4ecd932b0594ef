import { DateTime } from 'luxon';
import { type Period, periodAt, type Schedule } from '../../src/billing/calendar.ts';
import { AWAITING_CARD, STOPPED, WRITTEN_OFF } from '../../src/billing/invoice.ts';
import type { CardStanding } from '../../src/billing/next-try.ts';
import { judgeTerms } from '../../src/billing/plan-change.ts';
import type { DunningPolicy } from '../../src/billing/policy.ts';
import { type CatchUp, drawUpNext, type Treatment } from '../../src/billing/subscription.ts';
import {
  judgeSubscription,
  type SubscriptionChange,
  type SubscriptionJudgement,
  type SubscriptionOrder,
  type Terms,
} from '../../src/billing/subscription-order.ts';
import { CATCH_UP, freshCard, ModelledInvoice } from './modelled-invoice.ts';
import { ModelledStanding } from './modelled-standing.ts';

export type Agreed = {
  readonly policy: DunningPolicy;
  readonly catchUp: CatchUp;
  readonly endsAfter: number | null;
};

/** One subscription and what happens to it, carried out as the tick, the worker and the statements of orders do. */
export class ModelledSubscription extends ModelledStanding {
  cancelsAt: DateTime | null = null;
  amount = 9_900;
  endsAfter: number | null;
  schedule: Schedule = EVERY_THREE_DAYS;
  #firstPeriod = 0;
  #nextPeriod = 0;
  #registrations = 0;
  #cards: readonly CardStanding[] = ['first', 'second'].map(freshCard);
  readonly #agreed: Agreed;
  readonly #clock: { now: DateTime };
  readonly #createdAt: DateTime;

  constructor(agreed: Agreed) {
    const { startAt } = periodAt(EVERY_THREE_DAYS, 0);
    super(agreed.policy, startAt);
    this.#agreed = agreed;
    this.#clock = { now: startAt };
    this.#createdAt = startAt;
    this.endsAfter = agreed.endsAfter;
  }

  get now(): DateTime {
    return this.#clock.now;
  }

  pass(hours: number): void {
    this.#clock.now = this.now.plus({ hours });
  }

  /** One pass of a scheduler. What was held waits for a try that has just come due, and so does the next period. */
  tick(): void {
    this.clearArrears();
    if (this.cancelsAt !== null && this.cancelsAt <= this.now && this.#isDue() && this.#endsStopped())
      this.becomes('canceled');
    if (this.isLive() && this.#isDue() && !(this.status === 'past_due' && this.#tryGoesFirst())) this.#drawUp();
    this.settle('void');
    this.settle('hold');
    if (!this.#tryGoesFirst()) this.settle('release');
    for (const invoice of this.invoices) this.#decideOnAwaited(invoice);
  }

  /** A worker takes what is due; where the subscription is not charged, that is withdrawn. */
  work(): void {
    for (const invoice of this.invoices) {
      if (!invoice.isDue() || invoice.isUnderWay()) continue;
      const to = this.status === 'canceled' ? 'void' : 'held';
      if (this.isLive()) invoice.send();
      else this.happens(invoice, { kind: 'withdrawn', to, reason: to === 'held' ? STOPPED : 'subscription_canceled' });
    }
  }

  /** An order about the subscription; what is refused changes nothing. */
  order(order: SubscriptionOrder): SubscriptionJudgement['kind'] {
    return this.#obey(judgeSubscription(order, this.#standing()));
  }

  changeTerms(terms: Terms): SubscriptionJudgement['kind'] {
    return this.#obey(judgeTerms(terms, { ...this.#standing(), currency: 'KRW' }));
  }

  /** Another card, or the same `customer_uid` with another one behind it: what is unpaid is tried at once. */
  changeCard(id: string): void {
    if (this.status === 'canceled') return;
    this.#registrations += 1;
    const card = freshCard(`${id} ${this.#registrations}`);
    this.#cards = given(card, this.#cards);
    for (const invoice of this.invoices) {
      const { state, reason, failures } = invoice;
      invoice.cards = given(card, invoice.cards);
      if (state === 'retrying' && reason === AWAITING_CARD) invoice.nextAt = this.now;
      const isStopped = state === 'held' && reason === STOPPED && this.status !== 'paused' && failures > 0;
      if (isStopped) this.intervene(invoice, 'release');
      if (state === 'retrying' || (state === 'uncollectible' && reason !== WRITTEN_OFF))
        this.intervene(invoice, 'retry');
    }
  }

  #standing() {
    const { status, cancelsAt, schedule, endsAfter, now } = this;
    const numbers = { firstPeriod: this.#firstPeriod, nextPeriod: this.#nextPeriod };
    return { ...numbers, status, cancelsAt, schedule, endsAfter, now, createdAt: this.#createdAt };
  }

  #isDue(): boolean {
    return this.nextDueAt !== null && this.nextDueAt <= this.now;
  }

  /** Paused, it stays so while one of its invoices waits for a person. */
  #endsStopped(): boolean {
    return this.status === 'unpaid' || (this.status === 'paused' && !this.#isCollecting());
  }

  #isCollecting(): boolean {
    return this.invoices.some(
      ({ state }) => state === 'held' || state === 'review' || state === 'open' || state === 'retrying',
    );
  }

  #tryGoesFirst(): boolean {
    const since = this.now.minus({ minutes: 10 });
    const holds = this.#agreed.policy.later !== 'accumulate';
    return this.invoices.some((invoice) => {
      const { state, nextAt, living, isGivenUp, isWrittenOff } = invoice;
      if (state !== 'retrying') return false;
      const isDue = nextAt !== null && nextAt <= this.now;
      const isTried = living?.state === 'sent' || (isDue && nextAt >= since);
      return (
        isTried ||
        (isGivenUp && !isWrittenOff && holds && (isDue || living?.state === 'prepared' || living?.state === 'unknown'))
      );
    });
  }

  #drawUp(): void {
    const next = drawUpNext(this.#standing(), this.#agreed.catchUp, this.now);
    if (next.kind === 'invoice') {
      this.add(next.period, this.amount, this.#invoiceFor(next.period, next.as));
      [this.#nextPeriod, this.nextDueAt] = [next.nextPeriod, next.nextDueAt];
      return;
    }
    if (this.#isCollecting()) this.nextDueAt = this.now.plus({ hours: 1 });
    else this.becomes('canceled');
  }

  /** A missed period is charged a day after the others of its payer. */
  #invoiceFor({ startAt: dueAt }: Period, as: Treatment): ModelledInvoice {
    const waits = this.invoices.filter(({ state, reason }) => state === 'open' && reason === CATCH_UP);
    const others = as === 'spaced' ? this.invoices : as === 'queued' ? waits : [];
    const after = others.flatMap(({ nextAt, sends }) => [nextAt, sends.at(-1)?.at ?? null].filter((at) => at !== null));
    const nextAt = as === 'held' ? null : DateTime.max(dueAt, ...after.map((at) => at.plus({ hours: 24 })));
    const reason = as === 'held' || as === 'spaced' || waits.length > 0 ? CATCH_UP : null;
    const [clock, cards] = [this.#clock, this.#cards];
    return new ModelledInvoice({ clock, dueAt, nextAt, reason, policy: this.#agreed.policy, cards });
  }

  #decideOnAwaited(invoice: ModelledInvoice): void {
    const { reason, nextAt, attempts, releasedAt, cards } = invoice;
    if (!this.isLive() || reason !== AWAITING_CARD || nextAt === null || nextAt > this.now) return;
    const last = attempts.findLast(({ state }) => state === 'declined' || state === 'rejected');
    const decline = { class: cards.find(({ id }) => id === last?.cardId)?.declined ?? 'other', reason: 'no' };
    this.happens(invoice, { kind: 'card_awaited', decline, barredUntil: invoice.barredUntil(), releasedAt }, last);
  }

  #obey(judgement: SubscriptionJudgement): SubscriptionJudgement['kind'] {
    if (judgement.kind === 'change') this.#carryOut(judgement.change);
    const { invoices } = judgement.kind === 'change' ? judgement.change : { invoices: undefined, ...judgement };
    if (invoices !== undefined) this.settle(invoices);
    return judgement.kind;
  }

  #carryOut({ status, periods, anchor, waives, terms, cancelsAt }: SubscriptionChange): void {
    if (status !== undefined) this.becomes(status === 'active' ? this.owing() : status);
    if (cancelsAt !== undefined) this.cancelsAt = cancelsAt;
    if (waives !== undefined) this.add(waives, this.amount, 'waived');
    if (anchor !== undefined) this.schedule = { ...this.schedule, anchorLocal: anchor.local };
    if (anchor !== undefined) this.endsAfter = anchor.endsAfter;
    if (periods !== undefined) {
      [this.#firstPeriod, this.#nextPeriod] = [periods.first, periods.next];
      if (status !== 'canceled') this.nextDueAt = periods.nextDueAt;
    }
    this.amount = terms?.price?.minor ?? this.amount;
  }
}

/** In the place of the one that was registered under the same name. */
function given(card: CardStanding, cards: readonly CardStanding[]): readonly CardStanding[] {
  const [name] = card.id.split(' ');
  return [card, ...cards.filter(({ id }) => id.split(' ')[0] !== name)];
}

/** Shorter than a ladder, so that several invoices stand at once. */
const EVERY_THREE_DAYS: Schedule = {
  anchorLocal: '2027-01-29T10:00:00',
  timezone: 'Asia/Seoul',
  interval: 'day',
  intervalCount: 3,
};
