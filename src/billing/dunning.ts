import { DateTime, Duration } from 'luxon';
import { assertNever } from './errors.ts';
import type { ChargeOutcome } from './outcome.ts';

/** How a declined invoice is collected. Stored with the invoice as the version that drove it. */
export type DunningPolicy = {
  /** Rungs in days after the due date; past the last one the invoice is uncollectible. */
  readonly retryAfterDays: readonly number[];
  /** Hours between two attempts on one card at least, also after an outage. */
  readonly minGapHours: number;
};

/** Where an invoice stands when an attempt's outcome is known. Instants by the database's clock. */
export type Standing = {
  readonly dueAt: DateTime;
  /** When this attempt was last sent; null if it never was. */
  readonly sentAt: DateTime | null;
  /** Declines before this one. */
  readonly failures: number;
  /** Times this attempt was proved not to have been sent, before this one. */
  readonly timesNotSent: number;
  /** Since when it is put off because one of its ids is neither paid nor failed at the gateway; null when it is not. */
  readonly unsettledSince: DateTime | null;
  /** Intents of this attempt that were not proved unsent, the last one included. */
  readonly sends: number;
  /** H_long: how long a send that nothing answered bars any other id (protocol §2.6). */
  readonly quarantineSeconds: number;
};

export type Decision =
  | { readonly kind: 'settle' }
  /** The next attempt, with a new `merchant_uid`, no sooner than this. */
  | { readonly kind: 'retry'; readonly at: DateTime }
  /** The same attempt again, under the same `merchant_uid`. */
  | { readonly kind: 'send-again'; readonly at: DateTime }
  | { readonly kind: 'look-up'; readonly at: DateTime }
  | { readonly kind: 'review'; readonly reason: string }
  | { readonly kind: 'give-up'; readonly reason: string };

/** Decides what follows an attempt. Pure: same arguments, same decision, nothing touched. */
export function decide(standing: Standing, outcome: ChargeOutcome, policy: DunningPolicy, now: DateTime): Decision {
  switch (outcome.kind) {
    case 'paid':
      return { kind: 'settle' };
    case 'declined':
    case 'rejected':
      return nextRung(standing, outcome.unanswered, policy, now);
    case 'not-sent':
      return putOff(standing, outcome, now);
    case 'absent':
      return sendAgain(standing, now);
    case 'unknown':
    case 'not-found':
      return { kind: 'look-up', at: nextLookUpAt(standing.sentAt ?? now, now) };
    case 'review':
      return { kind: 'review', reason: outcome.reason };
    default:
      return assertNever(outcome);
  }
}

/**
 * The next look-up after `now` for what was sent at `sentAt`: at offsets from the send, within seconds first, hourly
 * to the end of the first day, then daily until a person closes the case (protocol §2.6).
 */
export function nextLookUpAt(sentAt: DateTime, now: DateTime): DateTime {
  const elapsed = now.diff(sentAt).as('seconds');
  const early = LOOK_UPS_SECONDS.find((offset) => offset > elapsed);
  if (early !== undefined) return sentAt.plus({ seconds: early });
  const step = elapsed < DAY_SECONDS ? HOUR_SECONDS : DAY_SECONDS;
  return sentAt.plus({ seconds: (Math.floor(elapsed / step) + 1) * step });
}

function nextRung(standing: Standing, unanswered: number, policy: DunningPolicy, now: DateTime): Decision {
  const days = policy.retryAfterDays[standing.failures];
  if (days === undefined) return { kind: 'give-up', reason: 'retries_exhausted' };
  const lastAttemptAt = standing.sentAt ?? now;
  // After downtime the ladder does not burn out in minutes: a day lies between two attempts on one card.
  const rungAt = DateTime.max(standing.dueAt.plus({ days }), lastAttemptAt.plus({ hours: policy.minGapHours }));
  // A decline answers its own send only: while another may still land, no other id may be charged.
  const barredUntil = unanswered > 0 ? lastAttemptAt.plus({ seconds: standing.quarantineSeconds }) : lastAttemptAt;
  return { kind: 'retry', at: DateTime.max(rungAt, barredUntil) };
}

/** What the gateway does not settle while a send may be quarantined, it may never settle: a person must look. */
function putOff(
  { timesNotSent, unsettledSince, quarantineSeconds }: Standing,
  { reason, unsettled }: Extract<ChargeOutcome, { kind: 'not-sent' }>,
  now: DateTime,
): Decision {
  const isStuck =
    unsettled === true && unsettledSince !== null && now >= unsettledSince.plus({ seconds: quarantineSeconds });
  if (isStuck) return { kind: 'review', reason: `${reason}; so for ${Math.round(quarantineSeconds / 3_600)} hours` };
  return { kind: 'send-again', at: now.plus(rung(NOT_SENT, timesNotSent)) };
}

function sendAgain({ sends }: Standing, now: DateTime): Decision {
  if (sends < SENDS_WITHOUT_TRACE) return { kind: 'send-again', at: now };
  return { kind: 'review', reason: `sent ${sends} times, and the gateway never heard of any of them` };
}

function rung(ladder: readonly number[], index: number): Duration {
  return Duration.fromObject({ seconds: ladder[Math.min(index, ladder.length - 1)] ?? 0 });
}

/** What arrives nowhere so often is no accident of the network. */
const SENDS_WITHOUT_TRACE = 5;
const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;
const LOOK_UPS_SECONDS = [5, 15, 45, 120, 300, 600, 1_200, 2_400, 3_600];
/** What was never sent waits for the network, not for the payer: minutes. */
const NOT_SENT = [5, 30, 60, 120, 300, 600];
