import type { DateTime } from 'luxon';
import type { Interval } from '../billing/calendar.ts';
import type { DueStanding, Treatment } from '../billing/subscription.ts';
import type { Db } from './db.ts';
import { TRY_GOES_FIRST } from './due.ts';
import { instant } from './instant.ts';
import { Prisma } from './prisma/client.ts';

/** A live subscription whose next period has begun, with what its invoice and first attempt are made of. */
export type DueSubscription = DueStanding & {
  readonly id: string;
  /** The merchant's own id. */
  readonly externalId: string;
  /** Since when, as the database writes it, to the microsecond. */
  readonly dueAt: string;
  readonly customerId: string;
  /** The database's clock when it was read. */
  readonly now: DateTime;
};

/** Whether the next period of the subscription `s` has begun. */
const PERIOD_BEGUN = Prisma.sql`s.next_due_at <= maedal_now() AND s.next_due_at IS NOT NULL AND s.status IN ('trialing', 'active', 'past_due')`;

/**
 * Up to `limit` subscriptions that are due by `until` and were not drawn up since `tick` began, the longest due first. Of
 * one that owes something, a try that has just come due goes first: how it ends says whether the next period is charged.
 * Locks nothing.
 */
export async function dueSubscriptions(db: Db, limit: number, tick: Tick): Promise<DueSubscription[]> {
  const rows = await db.$queryRaw<DueRow[]>`
    SELECT id, external_id, customer_id, anchor_local, timezone, "interval", interval_count,
           first_period, next_period, next_due_at::text AS due_at, ends_after, cancel_at, created_at, maedal_now() AS now
      FROM subscription s
     WHERE ${PERIOD_BEGUN} AND next_due_at <= coalesce(${tick.until?.toJSDate() ?? null}, maedal_now())
       AND (last_drawn_at IS NULL OR last_drawn_at < coalesce(${tick.startedAt?.toJSDate() ?? null}, maedal_now()) OR last_drawn_at > maedal_now())
       AND NOT (status = 'past_due' AND ${TRY_GOES_FIRST})
     ORDER BY next_due_at, id LIMIT ${limit}`;
  return rows.map((row) => ({
    id: row.id,
    externalId: row.external_id,
    dueAt: row.due_at,
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
    cancelsAt: row.cancel_at === null ? null : instant(row.cancel_at),
    createdAt: instant(row.created_at),
    now: instant(row.now),
  }));
}

/** One pass over what is due. */
export type Tick = {
  /** The database's clock when it began: nobody is drawn up twice in one. Null: it begins with this. */
  readonly startedAt: DateTime | null;
  /** What falls due later is left for another; null for now. */
  readonly until: DateTime | null;
};

/** An invoice to draw up with its first attempt. Keys are columns of the statement's input. */
export type NewInvoice = {
  readonly subscription_id: string;
  /** What it was made from: whoever has another schedule or due date by now is passed over. */
  readonly was_due_at: string;
  readonly anchor_local: string;
  readonly timezone: string;
  readonly interval: Interval;
  readonly interval_count: number;
  readonly period_index: number;
  readonly next_period: number;
  readonly next_due_at: string;
  readonly period_key: string;
  readonly period_start: string;
  readonly period_end: string;
  readonly treatment: Treatment;
  readonly merchant_uid: string;
};

/**
 * Draws up invoices, and the first attempt of each that is to be charged, and moves their subscriptions on to the next
 * period: one statement, so that no crash can part the three. A subscription that somebody else moved on meanwhile, gave
 * another schedule, or cancelled to an end before that period, is passed over, so any number of schedulers may do this at once. `versions`
 * names the version of each policy in force, `default` among them. What is held from the beginning is told. Returns how many were drawn up.
 */
export async function drawUp(
  db: Db,
  invoices: readonly NewInvoice[],
  versions: Readonly<Record<string, string>>,
): Promise<number> {
  if (invoices.length === 0) return 0;
  const rows = await db.$queryRaw<{ drawn: number }[]>`
    WITH input AS (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(invoices)}::jsonb) AS input (
        subscription_id uuid, was_due_at timestamptz, anchor_local text, timezone text, "interval" text, interval_count integer, period_index integer, next_period integer, next_due_at timestamptz, period_key text,
        period_start timestamptz, period_end timestamptz, treatment text, merchant_uid text)
    ), ours AS MATERIALIZED (
      SELECT s.id, s.customer_id, s.policy, s.amount, s.currency, s.tax_free, s.vat, s.name FROM subscription s
        JOIN input ON input.subscription_id = s.id
       WHERE s.next_period = input.period_index AND s.next_due_at = input.was_due_at AND s.anchor_local = input.anchor_local
         AND s.timezone = input.timezone AND s."interval" = input."interval" AND s.interval_count = input.interval_count
         AND s.status IN ('trialing', 'active', 'past_due')
         AND (s.cancel_at IS NULL OR s.cancel_at > input.period_start)
       ORDER BY s.id FOR NO KEY UPDATE OF s SKIP LOCKED
    ), moved AS (
      UPDATE subscription s SET next_period = input.next_period, next_due_at = input.next_due_at,
             last_drawn_at = maedal_now(), updated_at = maedal_now(),
             status = CASE WHEN s.status = 'trialing' THEN 'active' ELSE s.status END
        FROM ours JOIN input ON input.subscription_id = ours.id WHERE s.id = ours.id
      RETURNING s.id
    ), drawn AS (
      INSERT INTO invoice (subscription_id, period_key, period_index, period_start, period_end, due_at, amount, currency,
                           tax_free, vat, name, state, reason, next_at, policy_version_id, spaced)
      SELECT ours.id, input.period_key, input.period_index, input.period_start, input.period_end, input.period_start,
             ours.amount, ours.currency, ours.tax_free, ours.vat, ours.name,
             CASE input.treatment WHEN 'held' THEN 'held' ELSE 'open' END,
             CASE WHEN input.treatment IN ('held', 'spaced') OR latest.waiting IS NOT NULL THEN 'catch_up' END,
             CASE input.treatment WHEN 'open' THEN input.period_start
                                  WHEN 'spaced' THEN greatest(input.period_start, latest.at + interval '24 hours')
                                  WHEN 'queued' THEN greatest(input.period_start, latest.waiting + interval '24 hours') END,
             coalesce(versions.by_policy ->> ours.policy, versions.by_policy ->> 'default'),
             input.treatment IN ('held', 'spaced')
        FROM moved JOIN ours ON ours.id = moved.id JOIN input ON input.subscription_id = ours.id
             CROSS JOIN LATERAL (
               SELECT max(greatest(other.next_at, other.last_attempt_at)) AS at,
                      max(other.next_at) FILTER (WHERE other.state = 'open' AND other.reason = 'catch_up' AND own.id = ours.id) AS waiting
                 FROM invoice other JOIN subscription own ON own.id = other.subscription_id
                WHERE own.customer_id = ours.customer_id AND input.treatment IN ('spaced', 'queued')) latest
             CROSS JOIN (SELECT ${JSON.stringify(versions)}::jsonb AS by_policy) versions
      ON CONFLICT (subscription_id, period_key) DO NOTHING
      RETURNING id, subscription_id, state
    ), told AS (
      INSERT INTO outbox (kind, subscription_id, invoice_id, payload, next_at)
      SELECT 'invoice.held', subscription_id, id, jsonb_build_object('invoice_id', id, 'reason', 'catch_up'), maedal_now()
        FROM drawn WHERE state = 'held'
    ), prepared AS (
      INSERT INTO attempt (invoice_id, number, merchant_uid)
      SELECT drawn.id, 1, input.merchant_uid FROM drawn JOIN input USING (subscription_id) WHERE drawn.state = 'open'
    )
    SELECT count(*)::integer AS drawn FROM drawn`;
  return rows[0]?.drawn ?? 0;
}

/**
 * Has subscriptions stand by what they owe: `active` where all is paid, `past_due` where nothing that was given up is owed
 * any more, `unpaid` where nothing else is. Settling an invoice does so as well; but of two that settle at the same instant,
 * each sees the other as still unpaid. Asks as `maedal_status_owing` does, in a form that is planned for many.
 */
export async function clearArrears(db: Db): Promise<number> {
  return db.$executeRaw`
    WITH theirs AS MATERIALIZED (
      SELECT s.id FROM subscription s WHERE s.status IN ('past_due', 'unpaid') AND s.id IN (${IN_ARREARS_NO_MORE})
       ORDER BY s.id FOR NO KEY UPDATE OF s SKIP LOCKED
    )
    UPDATE subscription s SET status = maedal_status_owing(s.id), access = maedal_access_owing(s.id), updated_at = maedal_now()
      FROM theirs WHERE s.id = theirs.id`;
}

const GIVEN_UP = Prisma.sql`SELECT FROM invoice i JOIN policy_version p ON p.id = i.policy_version_id
         WHERE i.subscription_id = s.id AND i.state = 'uncollectible' AND NOT i.written_off`;

/** The ids of subscriptions that stand otherwise than by what they owe. */
export const IN_ARREARS_NO_MORE = Prisma.sql`
       SELECT s.id FROM subscription s WHERE s.status IN ('past_due', 'unpaid') AND NOT EXISTS (${GIVEN_UP})
          AND (s.status = 'unpaid' OR NOT EXISTS (
            SELECT FROM invoice i WHERE i.subscription_id = s.id AND i.state IN ('retrying', 'review', 'held') AND i.failures > 0 AND NOT i.written_off))
       UNION ALL
       SELECT s.id FROM subscription s WHERE s.status = 'past_due' AND EXISTS (${GIVEN_UP} AND p.policy ->> 'later' IS DISTINCT FROM 'accumulate')
          AND NOT EXISTS (SELECT FROM invoice i WHERE i.subscription_id = s.id AND i.state IN ('open', 'retrying'))`;

/** Passes over subscriptions that cannot be drawn up, until the next tick tries again. */
export async function passOver(db: Db, ids: readonly string[]): Promise<void> {
  await db.$executeRaw`UPDATE subscription SET last_drawn_at = maedal_now() WHERE id = ANY(${[...ids]}::uuid[])`;
}

type DueRow = {
  id: string;
  external_id: string;
  customer_id: string;
  anchor_local: string;
  timezone: string;
  interval: Interval;
  interval_count: number;
  first_period: number;
  next_period: number;
  due_at: string;
  ends_after: number | null;
  cancel_at: Date | null;
  created_at: Date;
  now: Date;
};
