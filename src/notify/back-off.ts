import { createHash } from 'node:crypto';

/** Seconds between one try and the next: with the first at once, the last is on the third day, however far they are spread. */
const WAITS_SECONDS = [5, 60, 300, 1_800, 7_200, 18_000, 36_000, 43_200, 50_400, 57_600];

/** Longest that a receiver may put us off for. */
const MAX_PUT_OFF_SECONDS = 86_400;

/**
 * Seconds until the next try after `tries` that failed. Spread by up to a fifth, always the same for one event and try, so
 * that what failed together does not come back together; a receiver's `Retry-After` (seconds, or a date that is read
 * against `now`) is kept to where it is later.
 */
export function waitSeconds(tries: number, eventId: string, retryAfter: string | null, now: Date): number {
  const wait = WAITS_SECONDS[tries - 1] ?? WAITS_SECONDS.at(-1) ?? 0;
  const spread = createHash('sha256').update(`${eventId} ${tries}`).digest().readUInt32BE() / 2 ** 32;
  return Math.max(wait * (1 + spread / 5), Math.min(putOffSeconds(retryAfter, now), MAX_PUT_OFF_SECONDS));
}

function putOffSeconds(retryAfter: string | null, now: Date): number {
  if (retryAfter === null) return 0;
  if (/^\d{1,9}$/.test(retryAfter.trim())) return Number(retryAfter);
  const at = Date.parse(retryAfter);
  return Number.isNaN(at) ? 0 : (at - now.getTime()) / 1_000;
}
