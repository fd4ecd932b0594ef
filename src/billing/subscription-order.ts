import { DateTime } from 'luxon';
import { firstPeriodFrom, type Interval, type Period, periodAt, type Schedule } from './calendar.ts';
import { assertNever } from './errors.ts';
import type { Money } from './money.ts';
import { pastTheEnd } from './subscription.ts';

/** What a person, or the merchant's own program, may order about a subscription. */
export type SubscriptionOrder =
  | { readonly kind: 'cancel'; readonly at: 'now' | 'period_end' }
  | { readonly kind: 'pause' }
  /**
   * Ends a pause, and takes back a cancel to the end of the period. `keep`: on its old days. `new`: its periods begin anew
   * now, or where the last one that was drawn up ends.
   */
  | { readonly kind: 'resume'; readonly anchor: 'keep' | 'new' }
  /** The next period is not charged. */
  | { readonly kind: 'skip' };

/** A subscription as it is found. Instants by the database's clock. */
export type SubscriptionStanding = {
  readonly status: string;
  /** Where it ends, by a person's word. */
  readonly cancelsAt: DateTime | null;
  readonly schedule: Schedule;
  readonly firstPeriod: number;
  readonly nextPeriod: number;
  readonly endsAfter: number | null;
  readonly now: DateTime;
};

/** What a subscription is to cost and be called from its next period on. What is left out stays as it is. */
export type Terms = {
  readonly plan?: string;
  readonly name?: string;
  readonly price?: Money;
  /** That of its plan; a subscription that was given one of its own keeps that. */
  readonly policy?: string;
  /** How often the plan is billed. */
  readonly every?: { readonly interval: Interval; readonly intervalCount: number };
};

/** What becomes of it, as data: `store/subscription-orders.ts` carries it out. What is left out stays as it is. */
export type SubscriptionChange = {
  readonly status?: 'active' | 'paused' | 'canceled';
  /** Where it ends; null takes that back. */
  readonly cancelsAt?: DateTime | null;
  readonly periods?: { readonly first: number; readonly next: number; readonly nextDueAt: DateTime };
  /** From where its periods are counted from now on, and how many are left of an agreed number. */
  readonly anchor?: { readonly local: string; readonly endsAfter: number | null };
  /** What it costs and is called from its next period on. */
  readonly terms?: Terms;
  /** A period that is drawn up as waived. */
  readonly waives?: Period;
  /** What happens in a second statement to invoices of which no charge is on its way. */
  readonly invoices?: 'void' | 'hold' | 'release';
  /** The name under which audit and events know it. */
  readonly event: string;
};

export type SubscriptionJudgement =
  | { readonly kind: 'change'; readonly change: SubscriptionChange }
  /** It stands so already; its invoices are seen to again, for a crash may have come between. */
  | { readonly kind: 'unchanged'; readonly invoices: SubscriptionChange['invoices'] }
  | { readonly kind: 'refused'; readonly because: string };

/** Judges an order. Pure. What was sent is settled first, whatever is ordered (protocol §2.8). */
export function judgeSubscription(order: SubscriptionOrder, standing: SubscriptionStanding): SubscriptionJudgement {
  if (standing.status === 'canceled')
    return order.kind === 'cancel' ? unchanged('void') : refused('it is canceled, and that is final');
  switch (order.kind) {
    case 'cancel':
      return cancel(order.at, standing);
    case 'pause':
      return pause(standing);
    case 'resume':
      return resume(standing, order.anchor);
    case 'skip':
      return skip(standing);
    default:
      return assertNever(order);
  }
}

function cancel(at: 'now' | 'period_end', standing: SubscriptionStanding): SubscriptionJudgement {
  // What lives goes on to where its next period would begin: its trial, or what was paid for, runs out.
  if (at === 'now' || !LIVE.has(standing.status))
    return changed({ status: 'canceled', invoices: 'void', event: 'subscription.canceled' });
  if (standing.cancelsAt !== null) return unchanged();
  return changed({ cancelsAt: endOfRunning(standing), event: 'subscription.cancel_scheduled' });
}

/** Where the first period begins that has not begun yet: what has is owed, and drawn up, be that late. */
function endOfRunning(standing: SubscriptionStanding): DateTime {
  const { schedule, firstPeriod, nextPeriod, endsAfter, now } = standing;
  const next = periodAt(schedule, nextPeriod);
  if (isOver(standing) || next.startAt > now) return next.startAt;
  const following = firstPeriodFrom(schedule, now.plus({ milliseconds: 1 }));
  // Of a fixed term that is over, no later than it is.
  const last = endsAfter === null ? following : Math.min(following, firstPeriod + endsAfter);
  return periodAt(schedule, last).startAt;
}

function pause(standing: SubscriptionStanding): SubscriptionJudgement {
  if (standing.status === 'paused') return unchanged('hold');
  // What began before the pause is owed: it is drawn up first.
  if (isBeingDrawnUp(standing)) return refused(BEING_DRAWN_UP);
  return changed({ status: 'paused', invoices: 'hold', event: 'subscription.paused' });
}

/** Whether a period of it has begun that is still to be drawn up. */
export function isBeingDrawnUp(standing: SubscriptionStanding): boolean {
  const { status, schedule, nextPeriod, now } = standing;
  return LIVE.has(status) && !isOver(standing) && periodAt(schedule, nextPeriod).startAt <= now;
}

/** Whether no further period is drawn up. */
function isOver(standing: SubscriptionStanding): boolean {
  return pastTheEnd(standing, standing.nextPeriod);
}

/** The anchor stays: periods that began while it was paused are not owed, and count for no agreed number. */
function resume(standing: SubscriptionStanding, anchor: 'keep' | 'new'): SubscriptionJudgement {
  const { status, cancelsAt, schedule, firstPeriod, nextPeriod, endsAfter, now } = standing;
  if (status !== 'paused') {
    return cancelsAt !== null
      ? changed({ cancelsAt: null, event: 'subscription.cancel_taken_back' })
      : unchanged('release');
  }
  if (anchor === 'new') return anew(standing);
  if (endsAfter !== null && nextPeriod >= firstPeriod + endsAfter) return resumed({}); // it ends where its last period does
  const next = Math.max(nextPeriod, firstPeriodFrom(schedule, now));
  const periods = { first: firstPeriod + next - nextPeriod, next, nextDueAt: periodAt(schedule, next).startAt };
  return resumed({ periods });
}

/** Never inside a period that was drawn up: that one is paid for, or owed. */
function anew({ schedule, firstPeriod, nextPeriod, endsAfter, now }: SubscriptionStanding): SubscriptionJudgement {
  const left = endsAfter === null ? null : endsAfter - (nextPeriod - firstPeriod);
  if (left !== null && left <= 0) return refused('all its agreed periods were drawn up');
  const startAt = DateTime.max(now, periodAt(schedule, nextPeriod).startAt).setZone(schedule.timezone);
  const local = startAt.toFormat("yyyy-LL-dd'T'HH:mm:ss.SSS");
  const periods = { first: 0, next: 0, nextDueAt: periodAt({ ...schedule, anchorLocal: local }, 0).startAt };
  return resumed({ periods, anchor: { local, endsAfter: left } });
}

/** It goes on for good: what was to end with its period would end with the first one drawn up. */
function resumed(change: Pick<SubscriptionChange, 'periods' | 'anchor'>): SubscriptionJudgement {
  const goesOn = { status: 'active', cancelsAt: null, invoices: 'release' } as const;
  return changed({ ...change, ...goesOn, event: 'subscription.resumed' });
}

function skip(standing: SubscriptionStanding) {
  const { status, schedule, firstPeriod, nextPeriod } = standing;
  if (!LIVE.has(status)) return refused(`it is ${status}`);
  if (isOver(standing)) return refused('it ends with the period that runs: there is no next one');
  if (isBeingDrawnUp(standing)) return refused(BEING_DRAWN_UP);
  const period = periodAt(schedule, nextPeriod);
  const next = firstPeriodFrom(schedule, period.endAt);
  const periods = { first: firstPeriod, next, nextDueAt: periodAt(schedule, next).startAt };
  return changed({ periods, waives: period, event: 'subscription.period_skipped' });
}

function changed(change: SubscriptionChange): SubscriptionJudgement {
  return { kind: 'change', change };
}

function unchanged(invoices?: SubscriptionChange['invoices']): SubscriptionJudgement {
  return { kind: 'unchanged', invoices };
}

function refused(because: string): SubscriptionJudgement {
  return { kind: 'refused', because };
}

/** Why what is ordered waits for that. */
export const BEING_DRAWN_UP =
  'its next period has begun and is still to be drawn up, by the next tick of `schedule` or by `maedal bill`; say it again then';
const LIVE: ReadonlySet<string> = new Set(['trialing', 'active', 'past_due']);
