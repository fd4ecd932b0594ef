import type { DateTime } from 'luxon';
import type { DeclineClass } from './charge.ts';
import { type DunningPolicy, decide } from './dunning.ts';

/** An attempt of a ladder: its number, when it is made, and days since the due date. */
type Rung = { readonly number: number; readonly at: DateTime; readonly days: number };

/** What a policy leads to where every attempt is declined in the same way: its attempts, and how that ends. */
export type Ladder = { readonly rungs: readonly Rung[]; readonly end: string };

/**
 * The ladder of an invoice that falls due at `dueAt`, each attempt made when due and declined at once. Asks `decide`
 * itself, so that what is printed is what is done.
 */
export function ladderOf(policy: DunningPolicy, dueAt: DateTime, declined: DeclineClass): Ladder {
  const decline = { class: declined, reason: declined };
  const outcome = { kind: 'declined', decline, impUid: '', unanswered: 0 } as const;
  const rungs: Rung[] = [];
  for (let at = dueAt; ; ) {
    rungs.push({ number: rungs.length + 1, at, days: at.diff(dueAt).as('days') });
    const standing = { dueAt, sentAt: at, failures: rungs.length - 1, ...FIRST_SEND };
    const decision = decide(standing, outcome, policy, at);
    if (decision.kind === 'give-up') return { rungs, end: decision.reason };
    if (decision.kind !== 'retry') throw new Error(`a decline led to ${decision.kind}`);
    at = decision.at;
  }
}

const FIRST_SEND = { timesNotSent: 0, unsettledSince: null, sends: 1, quarantineSeconds: 0 };
