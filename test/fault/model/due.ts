import { tryGoesFirst } from './store/owing.ts';
import type { AttemptRow } from './store/rows.ts';
import type { Tables } from './store/tables.ts';

const COLLECTED: ReadonlySet<string> = new Set(['open', 'retrying']);
const LIVE: ReadonlySet<string> = new Set(['trialing', 'active', 'past_due']);

/**
 * When a period is next to be drawn up; what is drawn up whole only waits for its end. Infinity for never, as below. One that
 * waits for a try is looked at again a minute later: whoever has that try in hand may be standing still for hours.
 */
export function drawUpAtMs(tables: Tables, periods: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { id, next_due_at, status, next_period } of tables.subscriptions.all()) {
    if (next_due_at === null || !LIVE.has(status) || next_period >= periods) continue;
    const waits = next_due_at <= tables.nowMs && status === 'past_due' && tryGoesFirst(tables, id);
    next = Math.min(next, waits ? tables.nowMs + 60_000 : next_due_at);
  }
  return next;
}

/** When a sweep next has something to ring for, or a send to give up waiting for. */
export function sweepAtMs({ invoices, attempts }: Tables): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { state, next_at } of invoices.all())
    if (next_at !== null && COLLECTED.has(state)) next = Math.min(next, next_at);
  for (const { state, lease_until } of attempts.all())
    if (state === 'sent' && lease_until !== null) next = Math.min(next, lease_until);
  return next;
}

/** When an ended invoice is next looked at for what may have landed late. */
export function watchAtMs({ invoices }: Tables): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { watch_at } of invoices.all()) if (watch_at !== null) next = Math.min(next, watch_at);
  return next;
}

/** When a capture is next to be accounted for. */
export function accountAtMs(tables: Tables): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { account_at, merchant_uid } of tables.observations.all())
    if (account_at !== null && account_at < next && attemptOf(tables, merchant_uid) !== undefined) next = account_at;
  return next;
}

/** Whether nothing is left to do but for people: nothing is collected, and every capture has its place. */
export function isAtRest(tables: Tables, periods: number): boolean {
  if (Math.min(drawUpAtMs(tables, periods), watchAtMs(tables)) < Number.POSITIVE_INFINITY) return false;
  for (const { state } of tables.invoices.all()) if (COLLECTED.has(state)) return false;
  for (const { account_at, merchant_uid } of tables.observations.all()) {
    const attempt = account_at === null ? undefined : attemptOf(tables, merchant_uid);
    // What waits beside an invoice in review waits for whoever looks at that.
    if (attempt !== undefined && tables.invoices.at(attempt.invoice_id).state !== 'review') return false;
  }
  return true;
}

function attemptOf({ attempts }: Tables, merchantUid: string): AttemptRow | undefined {
  for (const attempt of attempts.all()) if (attempt.merchant_uid === merchantUid) return attempt;
  return undefined;
}
