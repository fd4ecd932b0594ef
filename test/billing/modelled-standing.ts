import type { DateTime } from 'luxon';
import type { AttemptEvent, Transition } from '../../src/billing/attempt.ts';
import type { Period } from '../../src/billing/calendar.ts';
import { type Intervention, judge } from '../../src/billing/intervention.ts';
import { WRITTEN_OFF } from '../../src/billing/invoice.ts';
import type { DunningPolicy } from '../../src/billing/policy.ts';
import { SUBSCRIPTION_CHART, type SubscriptionStatus } from '../../src/billing/subscription-status.ts';
import type { ModelledInvoice } from './modelled-invoice.ts';
import { must } from './must.ts';

/** A period that was drawn up, and its invoice where it is owed. */
type DrawnUp = {
  readonly period: Period;
  readonly amount: number;
  readonly invoice: ModelledInvoice | 'waived';
  /** Whether there was a pause between the one before and this one. */
  readonly after: 'the one before' | 'a pause';
};

/** A subscription by what it owes: what its invoices make of it, and it of them. */
export class ModelledStanding {
  status: SubscriptionStatus = 'active';
  nextDueAt: DateTime | null;
  readonly drawn: DrawnUp[] = [];
  readonly #later: DunningPolicy['later'];
  #wasPaused = false;

  constructor({ later }: DunningPolicy, nextDueAt: DateTime) {
    this.#later = later;
    this.nextDueAt = nextDueAt;
  }

  get invoices(): readonly ModelledInvoice[] {
    return this.drawn.flatMap(({ invoice }) => (invoice === 'waived' ? [] : [invoice]));
  }

  isLive(): boolean {
    return LIVE.has(this.status);
  }

  add(period: Period, amount: number, invoice: DrawnUp['invoice']): void {
    this.drawn.push({ period, amount, invoice, after: this.#wasPaused ? 'a pause' : 'the one before' });
    this.#wasPaused = false;
  }

  becomes(status: SubscriptionStatus): void {
    if (this.status !== status) must(SUBSCRIPTION_CHART[this.status].includes(status), `${this.status} to ${status}`);
    this.status = status;
    if (status === 'canceled') this.nextDueAt = null;
    this.#wasPaused ||= status === 'paused';
  }

  /** What happens to one of its invoices. */
  happens(invoice: ModelledInvoice, event: AttemptEvent, attempt = invoice.living): void {
    this.follows(invoice.happens(event, attempt));
  }

  /** What happened to one of its invoices, and means something for the subscription. */
  follows(next: Transition | null): void {
    const becomes = next?.subscription;
    if (becomes === undefined) return;
    if (becomes === 'settled' || becomes === 'write_off') this.#clear();
    else if (this.status === 'active') this.becomes(ENDS[becomes]);
    else if (this.status === 'past_due' && becomes !== 'past_due') this.becomes(ENDS[becomes]);
  }

  /** An order about one invoice. */
  intervene(invoice: ModelledInvoice, what: Intervention): void {
    const judgement = judge(what, invoice.standing(this.status));
    if (judgement.kind !== 'change') return;
    invoice.order(judgement.change);
    if (judgement.change.subscription === 'clear') this.#clear();
    else if (this.status === 'unpaid') this.becomes('past_due');
  }

  /** Where it is past due for nothing any more, or for what was given up alone. */
  clearArrears(): void {
    const isGivenUp = this.#isGivenUp();
    const isOver = isGivenUp && this.#later !== 'accumulate' && !this.invoices.some((invoice) => invoice.isCollected());
    if (!isGivenUp || (isOver && this.status === 'past_due')) this.#clear();
  }

  settle(as: 'void' | 'hold' | 'release'): void {
    if (SETTLED_WHILE[as].has(this.status)) for (const invoice of this.invoices) invoice.settle(as);
  }

  /** As `maedal_status_owing` has it. */
  owing(): 'active' | 'past_due' | 'unpaid' {
    const isCollected = this.invoices.some((invoice) => invoice.isCollected());
    if (this.#isGivenUp()) return this.#later !== 'accumulate' && !isCollected ? 'unpaid' : 'past_due';
    const owes = this.invoices.some(
      ({ state, failures, isWrittenOff }) => failures > 0 && !isWrittenOff && OWED.has(state),
    );
    return owes ? 'past_due' : 'active';
  }

  #clear(): void {
    if (this.status === 'past_due' || this.status === 'unpaid') this.becomes(this.owing());
  }

  #isGivenUp(): boolean {
    return this.invoices.some(({ state, reason }) => state === 'uncollectible' && reason !== WRITTEN_OFF);
  }
}

const LIVE: ReadonlySet<string> = new Set(['trialing', 'active', 'past_due']);
const OWED: ReadonlySet<string> = new Set(['retrying', 'held', 'review']);
const ENDS = {
  past_due: 'past_due',
  accumulate: 'past_due',
  unpaid: 'unpaid',
  pause: 'paused',
  cancel: 'canceled',
} as const;
const SETTLED_WHILE = { void: new Set(['canceled']), hold: new Set(['paused', 'unpaid']), release: LIVE };
