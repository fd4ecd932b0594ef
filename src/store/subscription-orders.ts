import type { Interval } from '../billing/calendar.ts';
import { AWAITING_CARD, STOPPED } from '../billing/invoice.ts';
import type { SubscriptionChange, SubscriptionStanding } from '../billing/subscription-order.ts';
import type { Said } from './control.ts';
import type { Db } from './db.ts';
import { LONG_TRY_GOES_FIRST, TRY_GOES_FIRST } from './due.ts';
import { type Key, onceUnder } from './idempotency.ts';
import { instant } from './instant.ts';
import { isOrdered } from './ordered.ts';
import { Prisma } from './prisma/client.ts';

/** A subscription as it was read, for an order to be judged on and carried out against. */
export type SubscriptionFound = {
  readonly id: string;
  /** Changes with every write to the subscription. */
  readonly version: string;
  readonly channel: string;
  readonly currency: string;
  readonly standing: SubscriptionStanding;
};

/** Who gives an order and why, and the key under which it is done once. */
export type SaidOnce = Said & { readonly under?: Key | undefined };

/** The same, what this process takes the database for, and the policy versions in force. */
export type OrderedBy = SaidOnce & {
  readonly fingerprint: string;
  readonly versions: Readonly<Record<string, string>>;
};

/** Reads it by the merchant's own id; null when there is none. */
export async function findForOrder(db: Db, externalId: string): Promise<SubscriptionFound | null> {
  const [row] = await db.$queryRaw<Row[]>`
    SELECT id::text, xmin::text AS version, channel, currency, status, cancel_at, anchor_local, timezone, "interval", interval_count,
           first_period, next_period, ends_after, maedal_now() AS now
      FROM subscription WHERE external_id = ${externalId}`;
  if (row === undefined) return null;
  const { anchor_local: anchorLocal, timezone, interval, interval_count: intervalCount } = row;
  const standing = {
    status: row.status,
    cancelsAt: row.cancel_at === null ? null : instant(row.cancel_at),
    schedule: { anchorLocal, timezone, interval, intervalCount },
    firstPeriod: row.first_period,
    nextPeriod: row.next_period,
    endsAfter: row.ends_after,
    now: instant(row.now),
  };
  return { id: row.id, version: row.version, channel: row.channel, currency: row.currency, standing };
}

/**
 * Carries an order out: subscription, a waived period, audit and message in one statement; only in our own database, and
 * only while the subscription is as it was read, and once under a key, which it marks as done. From then on no intent passes that its new status forbids: whoever
 * writes one locks the subscription first. Returns false when nothing was done.
 */
export async function changeSubscription(
  db: Db,
  found: SubscriptionFound,
  change: SubscriptionChange,
  by: OrderedBy,
): Promise<boolean> {
  const { status = null, periods, waives, terms = {} } = change;
  const [row] = await db.$queryRaw<{ done: number }[]>`
    WITH s AS MATERIALIZED (
      SELECT subscription.* FROM subscription WHERE id = ${found.id}::uuid AND xmin::text = ${found.version} FOR NO KEY UPDATE
    ), c AS MATERIALIZED (
      SELECT control.id FROM control JOIN s ON true WHERE fingerprint = ${by.fingerprint} FOR SHARE OF control
    ), once AS (
      ${onceUnder(by.under, Prisma.sql`c`)}
    ), moved AS (
      UPDATE subscription SET updated_at = maedal_now(),
             status = CASE WHEN ${status}::text = 'active' THEN maedal_status_owing(s.id) ELSE coalesce(${status}::text, s.status) END,
             canceled_at = CASE WHEN ${status}::text = 'canceled' THEN maedal_now() END,
             paused_at = CASE coalesce(${status}::text, s.status) WHEN 'paused' THEN coalesce(s.paused_at, maedal_now()) END,
             cancel_at = CASE WHEN ${change.cancelsAt !== undefined} THEN ${change.cancelsAt?.toJSDate() ?? null}::timestamptz ELSE s.cancel_at END,
             first_period = coalesce(${periods?.first ?? null}::integer, s.first_period),
             next_period = coalesce(${periods?.next ?? null}::integer, s.next_period),
             anchor_local = coalesce(${change.anchor?.local ?? null}::text, s.anchor_local),
             ends_after = CASE WHEN ${change.anchor !== undefined} THEN ${change.anchor?.endsAfter ?? null}::integer ELSE s.ends_after END,
             plan = coalesce(${terms.plan ?? null}::text, s.plan), name = coalesce(${terms.name ?? null}::text, s.name),
             amount = coalesce(${terms.price?.minor ?? null}::bigint, s.amount), policy = CASE WHEN s.imported ->> 'policy' IS NULL THEN coalesce(${terms.policy ?? null}::text, s.policy) ELSE s.policy END,
             next_due_at = CASE WHEN ${status}::text IS DISTINCT FROM 'canceled'
                                THEN coalesce(${periods?.nextDueAt.toJSDate() ?? null}::timestamptz, s.next_due_at) END
        FROM s, once WHERE subscription.id = s.id RETURNING subscription.id
    ), waived AS (
      INSERT INTO invoice (subscription_id, period_key, period_index, period_start, period_end, due_at, amount, currency,
                           tax_free, vat, name, state, reason, policy_version_id)
      SELECT s.id, ${waives?.key ?? null}, ${waives?.index ?? null}::integer, ${waives?.startAt.toJSDate() ?? null}::timestamptz,
             ${waives?.endAt.toJSDate() ?? null}::timestamptz, ${waives?.startAt.toJSDate() ?? null}::timestamptz, s.amount, s.currency,
             s.tax_free, s.vat, s.name, 'waived', ${by.reason}, coalesce(versions.by_policy ->> s.policy, versions.by_policy ->> 'default')
        FROM s JOIN moved ON moved.id = s.id CROSS JOIN (SELECT ${JSON.stringify(by.versions)}::jsonb AS by_policy) versions WHERE ${waives !== undefined}
    ), written AS (
      INSERT INTO audit (actor, action, subject, reason) SELECT ${by.actor}, ${change.event}, moved.id::text, ${by.reason} FROM moved
    ), told AS (
      INSERT INTO outbox (kind, subscription_id, payload, next_at)
      SELECT ${change.event}, s.id, jsonb_build_object('subscription_id', s.external_id, 'reason', ${by.reason}::text,
               'by', ${by.actor}::text), maedal_now() FROM s JOIN moved ON moved.id = s.id
    )
    SELECT count(*)::integer AS done FROM moved`;
  return row?.done === 1;
}

/**
 * What a new status means for invoices of which no charge is on its way: a cancelled subscription owes them no more
 * (`void`), a pause holds them, and its end lets them go. The second of an ordered pair: while the first has not said
 * so, an intent might pass. What is let go waits for the day between two attempts and for the quarantine of a send that
 * nothing answered, as it would have without the pause. A crash in between leaves the same to whoever takes the next attempt. Returns how many.
 */
export async function settleInvoices(
  db: Db,
  { id }: Pick<SubscriptionFound, 'id'>,
  as: NonNullable<SubscriptionChange['invoices']>,
  { fingerprint, quarantineSeconds }: { readonly fingerprint: string | null; readonly quarantineSeconds: number },
): Promise<number> {
  const { from, standing, reason, event } = SETTLED[as];
  return db.$executeRaw`
    WITH s AS MATERIALIZED (
      SELECT subscription.id FROM subscription JOIN control ON fingerprint = coalesce(${fingerprint}, fingerprint)
       WHERE subscription.id = ${id}::uuid AND status = ANY(${[...standing]}::text[]) FOR NO KEY UPDATE OF subscription
    ), i AS MATERIALIZED (
      SELECT invoice.id, EXISTS (SELECT FROM attempt a WHERE a.invoice_id = invoice.id AND a.state IN ('declined', 'rejected'))
             -- What a person has let go, and was not tried since, still is to be tried.
             AND NOT ${isOrdered(Prisma.sql`invoice`)} AS declined
        FROM invoice JOIN s ON s.id = invoice.subscription_id
       WHERE invoice.state = ANY(${[...from]}::text[]) AND (${as} <> 'release' OR invoice.reason = ${SETTLED.hold.reason})
         AND NOT EXISTS (SELECT FROM attempt a WHERE a.invoice_id = invoice.id
                            AND (a.state IN ('sent', 'unknown', 'paid', 'review') OR a.lease_until > maedal_now()))
       ORDER BY invoice.id FOR NO KEY UPDATE OF invoice
    ), withdrawn AS (
      UPDATE attempt SET state = 'canceled', fail_reason = ${reason}, updated_at = maedal_now() FROM i
       WHERE attempt.invoice_id = i.id AND attempt.state = 'prepared' AND ${as} <> 'release'
    ), moved AS (
      UPDATE invoice SET updated_at = maedal_now(),
             state = CASE ${as} WHEN 'void' THEN 'void' WHEN 'hold' THEN 'held' ELSE CASE WHEN failures > 0 THEN 'retrying' ELSE 'open' END END,
             -- What was declined is decided on anew, by its policy and its cards.
             reason = CASE WHEN ${as} <> 'release' THEN ${reason} WHEN i.declined THEN ${AWAITING_CARD} END,
             next_at = CASE WHEN ${as} = 'release' AND i.declined THEN maedal_now() WHEN ${as} = 'release' THEN greatest(maedal_now(),
               last_attempt_at + make_interval(secs => 3600 * (SELECT policy ->> 'minGapHours' FROM policy_version p WHERE p.id = policy_version_id)::float8),
               (SELECT max(maedal_unanswered_at(a)) FROM attempt a WHERE a.invoice_id = i.id) + make_interval(secs => ${quarantineSeconds})) END,
             watch_at = CASE WHEN ${as} <> 'release' AND EXISTS (SELECT FROM attempt a WHERE a.invoice_id = i.id AND a.send_count > 0)
                             THEN maedal_now() + make_interval(secs => ${quarantineSeconds}) ELSE watch_at END
        FROM i WHERE invoice.id = i.id RETURNING invoice.id, invoice.subscription_id
    )
    INSERT INTO outbox (kind, subscription_id, invoice_id, payload, next_at)
    SELECT ${event}, moved.subscription_id, moved.id, jsonb_build_object('invoice_id', moved.id, 'reason', ${reason}::text), maedal_now()
      FROM moved`;
}

/** A subscription whose invoices do not stand as its status says, and what makes them so. */
export type Unsettled = {
  readonly id: string;
  readonly channel: string;
  readonly as: NonNullable<SubscriptionChange['invoices']>;
};

/**
 * Up to `limit` of them, no charge of theirs under way: a decline came after a pause or a cancel, another invoice ended the
 * subscription, it came back from `unpaid`, or somebody died between the two statements of an order. What is let go waits
 * for a try of another invoice that has just come due: were that one given up, it would be held again.
 */
export async function unsettledInvoices(db: Db, limit: number): Promise<Unsettled[]> {
  return db.$queryRaw<Unsettled[]>`
    SELECT DISTINCT s.id::text, s.channel, CASE WHEN s.status = ANY(${[...SETTLED.void.standing]}::text[]) THEN 'void' ELSE 'hold' END AS "as"
      FROM invoice i JOIN subscription s ON s.id = i.subscription_id
     WHERE ${LEFT_COLLECTING}
    UNION
    SELECT s.id::text, s.channel, CASE WHEN s.status = ANY(${[...SETTLED.void.standing]}::text[]) THEN 'void' ELSE 'release' END
      FROM invoice i JOIN subscription s ON s.id = i.subscription_id
     WHERE ${LEFT_HELD}
     LIMIT ${limit}`;
}

/** Whether a charge of the invoice `i` is on its way, or with a worker. */
const UNDER_WAY = Prisma.sql`EXISTS (SELECT FROM attempt a WHERE a.invoice_id = i.id
       AND (a.state IN ('sent', 'unknown', 'paid', 'review') OR a.lease_until > maedal_now()))`;

/** Whether the invoice `i` is still collected though its subscription `s` is not charged. */
export const LEFT_COLLECTING = Prisma.sql`i.state IN ('open', 'retrying') AND s.status IN ('canceled', 'paused', 'unpaid') AND NOT ${UNDER_WAY}`;

/** Whether the invoice `i` is still held though its subscription `s` is charged again, or has ended. */
export const LEFT_HELD = leftHeldUnless(TRY_GOES_FIRST);

/** The same, and what a try holds up for minutes at most. */
export const SOON_LEFT_HELD = leftHeldUnless(LONG_TRY_GOES_FIRST);

function leftHeldUnless(triedFirst: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`i.state = 'held' AND NOT ${UNDER_WAY} AND (s.status = 'canceled'
        OR (i.reason = ${STOPPED} AND s.status IN ('trialing', 'active', 'past_due') AND NOT ${triedFirst}))`;
}

/** While the subscription stands how, from which states an invoice is settled so, why, and as which event. */
const SETTLED = {
  void: {
    standing: ['canceled'],
    from: ['open', 'retrying', 'held'],
    reason: 'subscription_canceled',
    event: 'invoice.voided',
  },
  hold: {
    standing: ['paused', 'unpaid'],
    from: ['open', 'retrying'],
    reason: STOPPED,
    event: 'invoice.held',
  },
  release: {
    standing: ['trialing', 'active', 'past_due'],
    from: ['held'],
    reason: 'subscription_resumed',
    event: 'invoice.released',
  },
} as const;

type Row = {
  id: string;
  version: string;
  channel: string;
  currency: string;
  status: string;
  cancel_at: Date | null;
  anchor_local: string;
  timezone: string;
  interval: Interval;
  interval_count: number;
  first_period: number;
  next_period: number;
  ends_after: number | null;
  now: Date;
};
