import type { Answer } from './exchange.ts';

/**
 * How long a channel rests after a 429: what `Retry-After` says, in seconds or as a date held against the answer's own
 * `Date`, within bounds; half a minute where it says nothing that can be read. V1 documents neither (fact sheet §2.4).
 */
export function restSeconds({ 'retry-after': after, date }: Answer['headers']): number {
  const asked = typeof after === 'string' ? secondsIn(after.trim(), String(date)) : Number.NaN;
  return Number.isNaN(asked) ? UNSAID_SECONDS : Math.min(Math.max(asked, SHORTEST_SECONDS), LONGEST_SECONDS);
}

function secondsIn(after: string, date: string): number {
  return /^\d+$/.test(after) ? Number(after) : Math.ceil((Date.parse(after) - Date.parse(date)) / 1_000);
}

const UNSAID_SECONDS = 30;
const SHORTEST_SECONDS = 1;
const LONGEST_SECONDS = 900;
