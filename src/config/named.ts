import type { Named } from './config.ts';

/** A record without a prototype, so that a name nobody configured, such as `constructor`, is undefined. */
export function named<T>(entries: Iterable<readonly [string, T]>): Named<T> {
  return Object.setPrototypeOf(Object.fromEntries(entries), null);
}
