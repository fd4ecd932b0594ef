import type { DateTime } from 'luxon';

/** What is known of an attempt that the gateway says it never heard of. Instants by the database's clock. */
export type Absence = {
  /** The last send. */
  readonly sentAt: DateTime;
  /** "Not found" answers in the gateway's own shape since then, this one included. */
  readonly notFound: number;
  readonly now: DateTime;
  /** H: how long after a send its capture may still land (protocol §2.6). */
  readonly horizonSeconds: number;
};

/**
 * Whether "not found" may be held against a canary now: at least H has passed since the last send, and this is at least
 * the third such answer. Only with a canary seen in the same minute it is proved that nothing arrived.
 */
export function mayBeProvedAbsent({ sentAt, notFound, now, horizonSeconds }: Absence): boolean {
  return notFound >= ANSWERS && isHorizonOver(sentAt, now, horizonSeconds);
}

/** Whether no capture of what was sent at `sentAt` may land any more. */
export function isHorizonOver(sentAt: DateTime, now: DateTime, horizonSeconds: number): boolean {
  return now.diff(sentAt).as('seconds') >= horizonSeconds;
}

const ANSWERS = 3;
