import type { DateTime } from 'luxon';

/** How far the calls of a channel reach, in seconds. */
export type Reach = {
  /** The gateway's time limit for one call. */
  readonly timeoutSeconds: number;
  /** H: how long after the last byte of a call what it asked for may still land, and show (protocol §2.6). */
  readonly horizonSeconds: number;
};

/** What is known of an attempt that the gateway says it never heard of. Instants by the database's clock. */
export type Absence = Reach & {
  /** The last send. */
  readonly sentAt: DateTime;
  /** "Not found" answers in the gateway's own shape since then, this one included. */
  readonly notFound: number;
  readonly now: DateTime;
};

/**
 * Whether "not found" may be held against a canary now: the horizon of the last send is over, and this is at least the
 * third such answer. Only with a canary seen in the same minute it is proved that nothing arrived.
 */
export function mayBeProvedAbsent({ sentAt, notFound, now, ...reach }: Absence): boolean {
  return notFound >= ANSWERS && isHorizonOver(sentAt, now, reach);
}

/** Whether nothing of what was intended at `sentAt` may land any more. */
export function isHorizonOver(sentAt: DateTime, now: DateTime, reach: Reach): boolean {
  return now.diff(sentAt).as('seconds') >= closedAfterSeconds(reach);
}

/**
 * Seconds from an intent until nothing of its call may land any more. H counts from the last byte, and that one may leave
 * as late as the guard lets the call begin and its time limit ends it.
 */
export function closedAfterSeconds({ timeoutSeconds, horizonSeconds }: Reach): number {
  return GUARD_SECONDS + timeoutSeconds + horizonSeconds;
}

/** Between asking for an intent and the first byte of its call: longer, and somebody else may be looking already. */
export const GUARD_SECONDS = 5;

const ANSWERS = 3;
