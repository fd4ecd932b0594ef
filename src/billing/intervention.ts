import type { DateTime } from 'luxon';
import type { AttemptState } from './attempt.ts';
import { assertNever } from './errors.ts';

/** What a person may order about an invoice: try again now, let go what is held or in review, or waive what is owed. */
export type Intervention = 'retry' | 'release' | 'void';

/**
 * A payment that the gateway shows as paid, whole and as the invoice asks, and whose it is: of the attempt in review, of
 * another attempt of the invoice that is accounted for without a person (`other`), waits for one or is to be given back
 * (`waiting`), of one that counts as paid by it already (`counted`), or of none of ours.
 */
export type Proof = { readonly impUid: string; readonly of: 'reviewed' | 'other' | 'waiting' | 'counted' | 'nobody' };

/** An invoice as a person finds it. Instants by the database's clock. */
export type InvoiceStanding = {
  readonly state: string;
  readonly failures: number;
  /** Of its subscription. */
  readonly status: string;
  /** Its attempt that is alive; there is at most one. */
  readonly living: { readonly state: AttemptState; readonly hold: 'leased' | 'free' } | null;
  /** Until when a send that nothing answered, or that a person is to judge, bars every other charge; null for none. */
  readonly barredUntil: DateTime | null;
  /** The last send of any of its attempts. */
  readonly lastSentAt: DateTime | null;
  /** Payments of it that were captured and are there still, not given back, and that it does not count as paid by. */
  readonly kept: readonly string[];
  /** Payments of it that were given back, or that are not at the gateway any more. */
  readonly returned: readonly string[];
  /** Payments of it that are being given back. */
  readonly refunding: readonly string[];
  /** Whether its channel's declines never turn into payments later. */
  readonly declinesAreFinal: boolean;
  readonly minGapHours: number;
  readonly quarantineSeconds: number;
  readonly now: DateTime;
};

/** What becomes of invoice, living attempt and subscription, as data: `store/interventions.ts` carries it out. */
export type Change = {
  readonly invoice: {
    readonly state: 'open' | 'retrying' | 'void' | 'paid' | 'held';
    readonly watchAt: DateTime | null;
  };
  /** Null leaves the living attempt as it is. */
  readonly attempt: 'prepared' | 'canceled' | 'paid' | null;
  /** `reopen`: `unpaid → past_due`. `clear`: back to `active` unless something else is owed. */
  readonly subscription: 'reopen' | 'clear';
  /** The payment that it is paid by from now on; where it is held, as soon as the sweep has accounted for it anew. */
  readonly impUid?: string;
};

/** What an order leads to. */
export type Judgement =
  | { readonly kind: 'change'; readonly change: Change }
  /** Its fate is open: it is looked up at once, and nothing is charged or waived before that is known. */
  | { readonly kind: 'look-up' }
  | { readonly kind: 'refused'; readonly because: string; readonly remedy: string };

/** Judges an order (protocol §2.8). Never sends anything: what is let go is looked up first, and then sent by a worker. */
export function judge(intervention: Intervention, standing: InvoiceStanding): Judgement {
  const busy = inHand(standing);
  // What nobody finds out for so long is a person's to close; it is watched on.
  if (busy !== null && !(intervention === 'void' && isLongUnknown(standing))) return busy;
  switch (intervention) {
    case 'retry':
      return retry(standing);
    case 'release':
      return release(standing);
    case 'void':
      return waive(standing);
    default:
      return assertNever(intervention);
  }
}

/**
 * Judges whether an invoice may be called paid by a payment that a person names (protocol §2.8). What an attempt that is
 * not in review was paid with needs no person: it is on record by now, and accounting settles the invoice by it; but not
 * one that is in review itself.
 */
export function judgeProof(proof: Proof, standing: InvoiceStanding): Judgement | { readonly kind: 'accounted' } {
  const { living, kept, refunding, lastSentAt, now, quarantineSeconds } = standing;
  const isInReview = standing.state === 'review';
  if (proof.of === 'counted' && !isInReview)
    return refused(`an invoice is paid by ${proof.impUid} already`, 'name another payment');
  if (!isOwed(standing)) return over(standing);
  if (proof.of === 'other' && !isInReview) return { kind: 'accounted' };
  if (refunding.includes(proof.impUid)) return refused(`${proof.impUid} is being given back`, seeExplain);
  // Another payment of it has a person look: whatever that is, this one counts on.
  if (proof.of === 'counted')
    return {
      kind: 'change',
      change: { invoice: { state: 'paid', watchAt: null }, attempt: null, subscription: 'clear' },
    };
  const busy = inHand(standing);
  if (busy !== null) return busy;
  const others = kept.filter((impUid) => impUid !== proof.impUid);
  if (others.length > 0)
    return refused(`${others.join(', ')} was captured for it as well`, '`maedal refund` gives that back first');
  const watchAt = lastSentAt === null ? null : now.plus({ seconds: quarantineSeconds });
  const attempt = proof.of === 'reviewed' ? 'paid' : living === null ? null : 'canceled';
  const state = proof.of === 'waiting' || proof.of === 'other' ? 'held' : 'paid';
  const change = { invoice: { state, watchAt }, attempt, subscription: 'clear', impUid: proof.impUid } as const;
  return { kind: 'change', change };
}

/** Looked up for longer than a send is quarantined, and still neither paid nor not. */
function isLongUnknown({ living, lastSentAt, now, quarantineSeconds }: InvoiceStanding): boolean {
  const isFree = living?.state === 'unknown' && living.hold === 'free';
  return isFree && lastSentAt !== null && lastSentAt.plus({ seconds: quarantineSeconds }) <= now;
}

/** Why nothing may be ordered while a charge of it is with a worker or at the gateway; null when none is. */
function inHand(standing: InvoiceStanding): Judgement | null {
  const { living } = standing;
  if (living?.state === 'unknown' && isCollected(standing)) return { kind: 'look-up' };
  if (living?.state === 'paid') return over(standing);
  if (living?.hold === 'leased' || living?.state === 'sent' || living?.state === 'unknown')
    return refused('a worker has a charge of it in hand', 'say it again once `maedal explain` tells how that ended');
  return null;
}

function retry(standing: InvoiceStanding): Judgement {
  if (standing.state === 'held' || standing.state === 'review')
    return refused(`the invoice is ${standing.state}`, '`maedal release` lets it go on, `maedal void` ends it');
  if (standing.state !== 'uncollectible' && !isCollected(standing)) return over(standing);
  return barred(standing) ?? collect(standing, null);
}

function release(standing: InvoiceStanding): Judgement {
  const { state, kept, returned } = standing;
  if (state === 'held') return barred(standing) ?? collect(standing, null);
  if (state !== 'review') return refused(`the invoice is ${state}, and waits for nobody`, seeExplain);
  if (kept.length > 0)
    return refused(`${kept.join(', ')} was captured for it`, '`maedal refund` gives that back first');
  // What was paid under an id and given back, or is gone, ends that id: whoever lets it go on has it charged under the next one.
  const attempt = returned.length > 0 ? 'canceled' : 'prepared';
  return barred(standing) ?? collect(standing, standing.living === null ? null : attempt);
}

/** Open again, and due now. */
function collect({ failures }: InvoiceStanding, attempt: Change['attempt']): Judgement {
  const invoice = { state: failures > 0 ? 'retrying' : 'open', watchAt: null } as const;
  return { kind: 'change', change: { invoice, attempt, subscription: 'reopen' } };
}

function waive(standing: InvoiceStanding): Judgement {
  const { kept, living, lastSentAt, now, quarantineSeconds } = standing;
  if (!isOwed(standing)) return over(standing);
  if (kept.length > 0)
    return refused(`${kept.join(', ')} was captured for it`, '`maedal refund` gives that back first');
  const watchAt = lastSentAt === null ? null : now.plus({ seconds: quarantineSeconds });
  const attempt = living === null ? null : 'canceled';
  return { kind: 'change', change: { invoice: { state: 'void', watchAt }, attempt, subscription: 'clear' } };
}

/** What keeps it from being charged now; null when nothing does. */
function barred(standing: InvoiceStanding): Judgement | null {
  const { status, barredUntil, lastSentAt, declinesAreFinal, minGapHours, now } = standing;
  if (status === 'canceled' || status === 'paused')
    return refused(`the subscription is ${status}`, 'nothing is charged for it; `maedal void` ends the invoice');
  if (barredUntil !== null && barredUntil > now)
    return refused(
      'a send of it was never answered, and may still be captured',
      `say it again in ${left(barredUntil, now)}`,
    );
  const gapUntil = lastSentAt?.plus({ hours: minGapHours }) ?? now;
  if (!declinesAreFinal && gapUntil > now)
    return refused('a decline of its channel may still turn into a payment', `say it again in ${left(gapUntil, now)}`);
  return null;
}

function isCollected({ state }: Pick<InvoiceStanding, 'state'>): boolean {
  return state === 'open' || state === 'retrying';
}

/** Collected, or left to a person or given up: it may still be paid. */
function isOwed(standing: Pick<InvoiceStanding, 'state'>): boolean {
  return isCollected(standing) || ['held', 'review', 'uncollectible'].includes(standing.state);
}

function over({ state }: InvoiceStanding): Judgement {
  return refused(`the invoice is ${state}`, state === 'paid' ? '`maedal refund` gives it back' : seeExplain);
}

function refused(because: string, remedy: string): Judgement {
  return { kind: 'refused', because, remedy };
}

/** Rounded up, so that who waits that long does not come too early. */
function left(until: DateTime, now: DateTime): string {
  const minutes = Math.ceil(until.diff(now).as('minutes'));
  return minutes < 120 ? `${minutes} minute${minutes === 1 ? '' : 's'}` : `${Math.ceil(minutes / 60)} hours`;
}

const seeExplain = 'see `maedal explain`';
