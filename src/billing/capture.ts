import type { AttemptState } from './attempt.ts';
import type { Money } from './money.ts';
import { differences } from './outcome.ts';

/** Money that the gateway was seen to take, and the attempt and invoice that it is for. */
export type Capture = {
  readonly impUid: string;
  /** `cancelled`: all or part of it was given back. */
  readonly status: 'paid' | 'cancelled';
  /** `gone`: the gateway shows it as failed by now, or knows it no more. */
  readonly presence: 'there' | 'gone';
  /** Null when the gateway's number is no exact amount. */
  readonly amount: Money | null;
  readonly cancelMinor: number;
  readonly customerUid: string | null;
  readonly sandbox: boolean | null;
  readonly attempt: CapturedAttempt;
  /** What we gave back of it or are giving back, in minor units. */
  readonly refundMinor: number;
};

type CapturedAttempt = {
  readonly state: AttemptState;
  /** The payment that it counts as paid by, if any. */
  readonly impUid: string | null;
  /** Whether a worker holds it now, and will record what it finds. */
  readonly hold: 'leased' | 'free';
  readonly asked: { readonly customerUid: string; readonly amount: Money; readonly sandbox: boolean };
  readonly invoice: string;
  /** Whether another capture of the invoice, of which something is left, waits for a person: then this one is for the same person. */
  readonly others: 'in-review' | 'none';
  /** Another attempt of the invoice that is alive; there is at most one. */
  readonly sibling: { readonly state: AttemptState; readonly hold: 'leased' | 'free' } | null;
};

/** What becomes of a capture, so that none stays unaccounted for. */
export type Accounting =
  /** It is what its paid attempt rests on, though somebody may have given a part of it back. */
  | { readonly kind: 'settles' }
  /** Its attempt is alive and becomes paid by it. */
  | { readonly kind: 'settle' }
  /** Its attempt was given up for dead: it becomes paid; what was prepared in its place is withdrawn first. */
  | { readonly kind: 'revive' }
  /** The period was paid already, or is not owed any more. */
  | { readonly kind: 'refund'; readonly reason: string }
  /** A person must look. */
  | { readonly kind: 'review'; readonly reason: string }
  /** Given back in full, being given back, or gone: nothing is kept, nothing is owed. */
  | { readonly kind: 'returned' }
  /** Somebody is at it, or another attempt's fate decides. */
  | { readonly kind: 'wait' };

/** Accounts for one capture (protocol §2.7, rules 2 and 3). Pure. */
export function accountFor(capture: Capture): Accounting {
  const { attempt } = capture;
  const isCounted = attempt.state === 'paid' && attempt.impUid === capture.impUid;
  if (capture.presence === 'gone') return afterGone(capture, isCounted);
  if (capture.status === 'cancelled') return afterCancel(capture, isCounted);
  if (isCounted) return asAsked(capture, attempt, { kind: 'settles' });
  if (attempt.hold === 'leased') return { kind: 'wait' };
  const tooMuch = tooMuchBecause(attempt);
  if (attempt.state === 'paid' && tooMuch !== null) return giveBack(capture, tooMuch);
  // Nobody settles an invoice that a person has in hand, but by the attempt that he looks at.
  if (isLeftBehind(attempt)) return inReview(capture);
  if (LIVING.has(attempt.state)) return asAsked(capture, attempt, { kind: 'settle' });
  if (isUndecided(attempt.sibling)) return { kind: 'wait' };
  if (isInReview(attempt)) return inReview(capture);
  return tooMuch === null ? asAsked(capture, attempt, { kind: 'revive' }) : giveBack(capture, tooMuch);
}

/** Why nothing may be kept of a capture that its attempt does not count as paid by; null where it may pay the invoice. */
function tooMuchBecause({ state, impUid, sibling, invoice }: CapturedAttempt): string | null {
  if (state === 'paid') return `captured again under the same id, which ${impUid} had paid`;
  if (LIVING.has(state)) return null;
  if (sibling?.state === 'paid') return 'captured late; another attempt had paid the invoice';
  return NOT_OWED.has(invoice) ? `captured late; the invoice is ${invoice}` : null;
}

/** A person has its invoice in hand, for another reason than a capture like this one. */
function isInReview({ others, sibling, invoice }: CapturedAttempt): boolean {
  return others === 'none' && (sibling?.state === 'review' || invoice === 'review');
}

/** Its invoice went to review, and it was left alive: prepared, and then it landed after all. */
function isLeftBehind({ state, invoice }: CapturedAttempt): boolean {
  return LIVING.has(state) && state !== 'review' && invoice === 'review';
}

function inReview({ impUid }: Capture): Accounting {
  return { kind: 'review', reason: `${impUid} was captured while its invoice waits for a person` };
}

/** While the fate of another attempt is open, nothing may take its invoice away from those who look it up. */
function isUndecided(sibling: CapturedAttempt['sibling']): boolean {
  return sibling?.hold === 'leased' || sibling?.state === 'sent' || sibling?.state === 'unknown';
}

/** What cannot be counted cannot be given back by us. */
function giveBack({ amount, impUid }: Capture, reason: string): Accounting {
  if (amount !== null) return { kind: 'refund', reason };
  return { kind: 'review', reason: `${impUid}: ${reason}; how much it is cannot be read` };
}

function asAsked(capture: Capture, { asked, others }: CapturedAttempt, otherwise: Accounting): Accounting {
  if (others === 'in-review') {
    return { kind: 'review', reason: `${capture.impUid} was captured beside another that is in review` };
  }
  const differs = differences(capture, asked);
  if (differs.length === 0) return otherwise;
  return { kind: 'review', reason: `${capture.impUid} was paid, but ${differs.join(', ')}` };
}

/** Nothing is kept of it. What rested on it is unpaid, and a person decides whether it is charged again. */
function afterGone({ impUid, attempt }: Capture, isCounted: boolean): Accounting {
  if (isCounted) return { kind: 'review', reason: `${impUid} was paid, and is not at the gateway any more` };
  return attempt.hold === 'leased' ? { kind: 'wait' } : { kind: 'returned' };
}

function afterCancel(capture: Capture, isCounted: boolean): Accounting {
  const { amount, attempt, cancelMinor, refundMinor, impUid } = capture;
  const isWhole = amount !== null && cancelMinor >= amount.minor;
  if (isCounted && isWhole && cancelMinor > refundMinor) {
    return { kind: 'review', reason: `${impUid} was cancelled at the gateway, and not by us: the period is unpaid` };
  }
  if (isCounted) return { kind: 'settles' };
  // Whoever has the attempt in hand may be about to count it.
  if (attempt.hold === 'leased') return { kind: 'wait' };
  if (isWhole || refundMinor > 0) return { kind: 'returned' };
  if (isUndecided(attempt.sibling)) return { kind: 'wait' };
  const tooMuch = tooMuchBecause(attempt);
  if (tooMuch !== null) return giveBack(capture, `${tooMuch}; it is cancelled in part`);
  return { kind: 'review', reason: `${impUid} was captured for nothing and cancelled in part` };
}

const LIVING: ReadonlySet<string> = new Set(['review', 'prepared', 'sent', 'unknown']);
const NOT_OWED: ReadonlySet<string> = new Set(['void', 'waived', 'refunded', 'paid']);
