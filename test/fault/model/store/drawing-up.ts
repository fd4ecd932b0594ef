import { parseInvoiceId } from '../../../../src/billing/ids.ts';
import type { DueSubscription, NewInvoice, Tick } from '../../../../src/store/draw-up.ts';
import { instant } from '../../../../src/store/instant.ts';
import { cleared, tryGoesFirst } from './owing.ts';
import { isSamePeriod } from './protections.ts';
import { newAttempt } from './ringing.ts';
import type { InvoiceRow, SubscriptionRow } from './rows.ts';
import type { Tables } from './tables.ts';

const DAY_MS = 86_400_000;
const LIVE: ReadonlySet<string> = new Set(['trialing', 'active', 'past_due']);
const COLLECTING: ReadonlySet<string> = new Set(['open', 'retrying', 'held', 'review']);

/** `dueSubscriptions` of `store/draw-up.ts` in memory. */
export function dueSubscriptions(tables: Tables, limit: number, tick: Tick): DueSubscription[] {
  const untilMs = Math.min(tick.until?.toMillis() ?? tables.nowMs, tables.nowMs);
  const startedMs = tick.startedAt?.toMillis() ?? tables.nowMs;
  const due = tables.subscriptions.where(
    ({ id, next_due_at, status, last_drawn_at }) =>
      next_due_at !== null &&
      next_due_at <= untilMs &&
      LIVE.has(status) &&
      !(status === 'past_due' && tryGoesFirst(tables, id)) &&
      (last_drawn_at === null || last_drawn_at < startedMs || last_drawn_at > tables.nowMs),
  );
  due.sort((one, other) => (one.next_due_at ?? 0) - (other.next_due_at ?? 0) || (one.id < other.id ? -1 : 1));
  return due.slice(0, limit).map((row) => ({
    id: row.id,
    externalId: row.external_id,
    dueAt: new Date(row.next_due_at ?? 0).toISOString(),
    customerId: row.customer_id,
    schedule: {
      anchorLocal: row.anchor_local,
      timezone: row.timezone,
      interval: row.interval,
      intervalCount: row.interval_count,
    },
    firstPeriod: row.first_period,
    nextPeriod: row.next_period,
    endsAfter: row.ends_after,
    cancelsAt: row.cancel_at === null ? null : instant(new Date(row.cancel_at)),
    createdAt: instant(new Date(row.created_at)),
    now: instant(new Date(tables.nowMs)),
  }));
}

/** `drawUp` in memory: invoices, their first attempts, and their subscriptions moved on. */
export function drawUp(
  tables: Tables,
  invoices: readonly NewInvoice[],
  versions: Readonly<Record<string, string>>,
): number {
  const standing = new Map([...tables.subscriptions.all()].map((row) => [row.id, row]));
  const before = [...tables.invoices.all()];
  let drawn = 0;
  for (const input of invoices) {
    const was = standing.get(input.subscription_id);
    if (was === undefined || !isAsRead(was, input) || !LIVE.has(was.status)) continue;
    if (was.cancel_at !== null && was.cancel_at <= Date.parse(input.period_start)) continue;
    tables.subscriptions.put(was.id, {
      ...was,
      next_period: input.next_period,
      next_due_at: Date.parse(input.next_due_at),
      last_drawn_at: tables.nowMs,
      status: was.status === 'trialing' ? 'active' : was.status,
    });
    const invoice = newInvoice(tables, was, input, { before, versions });
    if (tables.invoices.where((other) => isSamePeriod(invoice, other)).length > 0) continue;
    tables.invoices.put(invoice.id, invoice);
    drawn += 1;
    if (invoice.state === 'held') tellHeld(tables, invoice);
    if (invoice.state !== 'open') continue;
    const attempt = newAttempt(tables, invoice, 1, input.merchant_uid);
    tables.attempts.put(attempt.id, attempt);
  }
  return drawn;
}

function tellHeld(tables: Tables, { id, subscription_id }: InvoiceRow): void {
  const payload = { invoice_id: id, reason: 'catch_up' };
  tables.outbox.push({ kind: 'invoice.held', subscription_id, invoice_id: id, payload, next_at: tables.nowMs });
}

function isAsRead(was: SubscriptionRow, input: NewInvoice): boolean {
  const schedule = ['anchor_local', 'timezone', 'interval', 'interval_count'] as const;
  return (
    was.next_period === input.period_index &&
    was.next_due_at === Date.parse(input.was_due_at) &&
    schedule.every((column) => was[column] === input[column])
  );
}

type Around = { readonly before: readonly InvoiceRow[]; readonly versions: Readonly<Record<string, string>> };

function newInvoice(tables: Tables, owner: SubscriptionRow, input: NewInvoice, around: Around): InvoiceRow {
  const { treatment } = input;
  const startMs = Date.parse(input.period_start);
  const own = treatment === 'spaced' || treatment === 'queued' ? invoicesOfCustomer(tables, owner, around) : [];
  const latest = greatest(own.map(({ next_at, last_attempt_at }) => greatest([next_at, last_attempt_at])));
  const missed = own.filter(
    (row) => row.subscription_id === owner.id && row.state === 'open' && row.reason === 'catch_up',
  );
  const waiting = greatest(missed.map(({ next_at }) => next_at));
  const nextAt = {
    held: null,
    open: startMs,
    spaced: greatest([startMs, latest === null ? null : latest + DAY_MS]),
    queued: greatest([startMs, waiting === null ? null : waiting + DAY_MS]),
  }[treatment];
  return {
    id: parseInvoiceId(tables.nextId()),
    subscription_id: owner.id,
    period_key: input.period_key,
    period_index: input.period_index,
    period_start: startMs,
    period_end: Date.parse(input.period_end),
    due_at: startMs,
    amount: owner.amount,
    currency: owner.currency,
    tax_free: owner.tax_free,
    vat: owner.vat,
    name: owner.name,
    state: treatment === 'held' ? 'held' : 'open',
    reason: treatment === 'held' || treatment === 'spaced' || waiting !== null ? 'catch_up' : null,
    next_at: nextAt,
    failures: 0,
    last_attempt_at: null,
    policy_version_id: around.versions[owner.policy] ?? around.versions.default ?? '',
    paid_at: null,
    watch_at: null,
    retry_key_id: null,
    spaced: treatment === 'held' || treatment === 'spaced',
  };
}

function invoicesOfCustomer(tables: Tables, owner: SubscriptionRow, { before }: Around): InvoiceRow[] {
  const isSameCustomer = ({ subscription_id }: InvoiceRow) =>
    tables.subscriptions.at(subscription_id).customer_id === owner.customer_id;
  return before.filter(isSameCustomer);
}

/** `endSubscriptions` of `store/ending.ts` in memory. */
export function endSubscriptions(tables: Tables, ids: readonly string[]): number {
  const { nowMs } = tables;
  const over = tables.subscriptions.where(
    (row) => ids.includes(row.id) && LIVE.has(row.status) && isDue(row, nowMs) && isLast(row),
  );
  for (const row of over) {
    const drawn = { ...row, last_drawn_at: nowMs };
    const goesOn = { ...drawn, canceled_at: null, next_due_at: nowMs + 3_600_000 };
    if (isCollected(tables, row)) tables.subscriptions.put(row.id, goesOn);
    else end(tables, drawn);
  }
  return over.length;
}

function isDue({ next_due_at: at, cancel_at: endsAt }: SubscriptionRow, nowMs: number): boolean {
  return Math.max(at ?? endsAt ?? Number.POSITIVE_INFINITY, endsAt ?? 0) <= nowMs;
}

function isLast({ cancel_at, next_period, first_period, ends_after }: SubscriptionRow): boolean {
  return cancel_at !== null || (ends_after !== null && next_period >= first_period + ends_after);
}

function isCollected(tables: Tables, { id }: SubscriptionRow): boolean {
  return (
    tables.invoices.where(({ subscription_id, state }) => subscription_id === id && COLLECTING.has(state)).length > 0
  );
}

function end(tables: Tables, row: SubscriptionRow): void {
  const { nowMs } = tables;
  tables.subscriptions.put(row.id, { ...row, status: 'canceled', canceled_at: nowMs, next_due_at: null });
  const payload = { subscription_id: row.external_id };
  const told = { kind: 'subscription.canceled', subscription_id: row.id, invoice_id: null, payload };
  tables.outbox.push({ ...told, next_at: nowMs });
}

/** `clearArrears` in memory. */
export function clearArrears(tables: Tables): number {
  const rows = tables.subscriptions.where(() => true);
  const settled = rows.flatMap((row) => {
    const status = cleared(tables, row);
    return status === null ? [] : [{ ...row, status }];
  });
  for (const row of settled) tables.subscriptions.put(row.id, row);
  return settled.length;
}

/** `endStopped` in memory. */
export function endStopped(tables: Tables): number {
  const over = tables.subscriptions.where(
    (row) => (row.status === 'unpaid' || row.status === 'paused') && isDue(row, tables.nowMs) && isLast(row),
  );
  const ended = over.filter((row) => (row.status === 'unpaid' && row.cancel_at !== null) || !isCollected(tables, row));
  for (const row of ended) end(tables, row);
  return ended.length;
}

/** `passOver` in memory. */
export function passOver(tables: Tables, ids: readonly string[]): void {
  for (const row of tables.subscriptions.where(({ id }) => ids.includes(id)))
    tables.subscriptions.put(row.id, { ...row, last_drawn_at: tables.nowMs });
}

/** The largest, leaving nulls aside; null for none. */
function greatest(instants: readonly (number | null)[]): number | null {
  const known = instants.filter((at) => at !== null);
  return known.length === 0 ? null : Math.max(...known);
}
