import type { AttemptState } from './attempt.ts';
import type { ListedPayment } from './charge.ts';
import { isMerchantUid } from './ids.ts';
import type { Money } from './money.ts';
import { differences } from './outcome.ts';

/** What our rows hold about one payment of the gateway's list. */
export type Held = {
  /** The attempt under its `merchant_uid`. */
  readonly attempt: {
    readonly state: AttemptState;
    /** The payment that it counts as paid by, if any. */
    readonly impUid: string | null;
    /** `leased`: a worker holds it now, and will record what it finds. */
    readonly hold: 'leased' | 'free';
    readonly asked: { readonly customerUid: string; readonly amount: Money };
  } | null;
  /** The payment as it was seen before; while it is to be accounted for, the sweep does that. */
  readonly seen: { readonly status: string; readonly cancelMinor: number; readonly account: 'due' | 'done' } | null;
  /** What we gave back of it or are giving back, in minor units. */
  readonly refundMinor: number;
  readonly key: 'ours' | 'foreign';
  /** The subscription that `custom_data` names. */
  readonly subscription: 'ours' | 'unknown';
  /** Whether a person has looked at it since it was first seen. */
  readonly isAcknowledged: boolean;
};

/** What one payment of the gateway's list is to us. */
export type Verdict =
  /** Held as the gateway has it, or on its way to be. */
  | { readonly kind: 'agrees' }
  /** None of our business. */
  | { readonly kind: 'not-ours' }
  /** Ours by its id or by what it names, and no attempt of ours: this database does not know all that was charged. */
  | { readonly kind: 'unknown'; readonly reason: string }
  /** Of an attempt that does not count it, or not as it is now. */
  | { readonly kind: 'uncounted'; readonly reason: string }
  /** Counted as paid, but not as it was asked for. */
  | { readonly kind: 'different'; readonly reason: string }
  /** Somebody else charged one of our keys: PortOne's Recovery or schedule, a cron that was forgotten. */
  | { readonly kind: 'foreign'; readonly reason: string };

/** The installation that compares. */
export type Comparing = { readonly installation: string; readonly sandbox: boolean };

/** Holds one listed payment against our rows (protocol §2.7, rule 5). Pure. */
export function judgeListed(payment: ListedPayment, held: Held, comparing: Comparing): Verdict {
  if (held.attempt !== null) return ofAttempt(payment, held, held.attempt, comparing);
  if (held.isAcknowledged) return { kind: 'agrees' };
  if (isMerchantUid(payment.merchantUid, comparing.installation)) {
    return { kind: 'unknown', reason: 'carries our prefix, and no attempt of ours has its id' };
  }
  // A copy of this installation in the other environment charges the same subscriptions, and may.
  if (payment.sandbox !== null && payment.sandbox !== comparing.sandbox) return { kind: 'not-ours' };
  const isOurs = held.key === 'ours';
  const names = held.subscription === 'ours' ? payment.subscription : null;
  if (names !== null && isOurs) {
    return { kind: 'unknown', reason: `is for our subscription ${names}, and no attempt has its id` };
  }
  const isReturned = payment.amount !== null && payment.cancelMinor >= payment.amount.minor;
  if (payment.usage === 'issue' || isReturned || (names === null && !isOurs)) return { kind: 'not-ours' };
  // Whoever pays in the merchant's shop may write what he likes there: that alone must stop nobody's charges.
  if (!isOurs) return { kind: 'foreign', reason: `names our subscription ${names}, on a card that is not ours` };
  return {
    kind: 'foreign',
    reason: `was taken from a card of ours, and not by maedal (${payment.usage ?? 'no origin'})`,
  };
}

function ofAttempt(
  payment: ListedPayment,
  { seen, refundMinor }: Held,
  attempt: NonNullable<Held['attempt']>,
  { sandbox }: Comparing,
): Verdict {
  const isSeen = seen?.status === payment.status && seen.cancelMinor >= payment.cancelMinor;
  const isCounted = attempt.state === 'paid' && attempt.impUid === payment.impUid;
  if (isCounted && payment.status === 'paid') {
    const differs = differences(payment, { ...attempt.asked, sandbox });
    return differs.length === 0
      ? { kind: 'agrees' }
      : { kind: 'different', reason: `was paid, but ${differs.join(', ')}` };
  }
  if (isSeen && isCounted && seen.account === 'done' && isGone(payment, refundMinor)) {
    return { kind: 'uncounted', reason: 'was cancelled in full, and its invoice still counts as paid by it' };
  }
  // The sweep accounts for what was seen, a worker records what it sees.
  if (isSeen || attempt.hold === 'leased') return { kind: 'agrees' };
  if (payment.status === 'cancelled') return { kind: 'uncounted', reason: 'was cancelled, which we did not know' };
  return { kind: 'uncounted', reason: `was captured for an attempt that we hold ${attempt.state}` };
}

/** Given back in full, and not by us: what rests on it is unpaid. */
function isGone({ status, amount, cancelMinor }: ListedPayment, refundMinor: number): boolean {
  return status === 'cancelled' && amount !== null && cancelMinor >= amount.minor && cancelMinor > refundMinor;
}
