import type { NewInvoice } from '../../../../src/store/draw-up.ts';
import type { Ring } from '../../../../src/store/due.ts';
import type { LeasedAttempt } from '../../../../src/store/lease.ts';
import type { Unaccounted } from '../../../../src/store/unaccounted.ts';
import type { Watched } from '../../../../src/store/watch.ts';
import type { Side } from './side.ts';

/** What one side of a sequence has in its hands: what a worker or a scheduler would. */
export type Hands = {
  readonly side: Side;
  nowMs: number;
  /** What its rows are called, by their ids. */
  names: ReadonlyMap<string, string>;
  rings: Ring[];
  readonly leased: LeasedAttempt[];
  readonly drawn: NewInvoice[];
  readonly watched: Watched[];
  found: Unaccounted[];
};

/** A step that any side can take; it answers what the store answered. */
export type Step = { readonly name: string; readonly take: (hands: Hands) => Promise<unknown> };

/** What steps may speak of: names that both sides know. */
export type Known = { readonly uids: readonly string[]; readonly subscriptions: readonly string[] };

/** One of the last four, as `draw` in 0…1 says. */
export function latest<Item>(items: readonly Item[], draw: number): Item | undefined {
  return items.slice(-4)[Math.floor(draw * Math.min(4, items.length))];
}
