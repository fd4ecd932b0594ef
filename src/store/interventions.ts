import type { DateTime } from 'luxon';
import type { AttemptState } from '../billing/attempt.ts';
import type { InvoiceId } from '../billing/ids.ts';
import type { Change, Intervention, InvoiceStanding } from '../billing/intervention.ts';
import type { DunningPolicy } from '../billing/policy.ts';
import type { Said } from './control.ts';
import type { Db } from './db.ts';
import { instant, instantOrNull } from './instant.ts';

/** An invoice as it was read, for an order of a person to be judged on and carried out against. */
export type InvoiceFound = {
  /** Changes with every write to the invoice. */
  readonly version: string;
  readonly state: string;
  readonly status: string;
  readonly failures: number;
  readonly channel: string;
  readonly policy: DunningPolicy;
  readonly living: {
    readonly id: string;
    readonly state: AttemptState;
    readonly fence: number;
    readonly hold: 'leased' | 'free';
  } | null;
  /** The last send that a decline or a person's look left unanswered. */
  readonly unansweredAt: DateTime | null;
  readonly lastSentAt: DateTime | null;
  readonly kept: readonly string[];
  readonly returned: readonly string[];
  readonly refunding: readonly string[];
  readonly now: DateTime;
};

/** Reads it; null when there is no such invoice. */
export async function findForIntervention(db: Db, id: InvoiceId): Promise<InvoiceFound | null> {
  const [row] = await db.$queryRaw<Row[]>`
    SELECT i.xmin::text AS version, i.state, s.status, i.failures, s.channel, p.policy, maedal_now() AS now,
           (SELECT jsonb_build_object('id', a.id, 'state', a.state, 'fence', a.fence,
                     'hold', CASE WHEN a.lease_until > maedal_now() THEN 'leased' ELSE 'free' END)
              FROM attempt a WHERE a.invoice_id = i.id AND a.state IN ('prepared', 'sent', 'unknown', 'paid', 'review')) AS living,
           (SELECT max(maedal_unanswered_at(a)) FROM attempt a WHERE a.invoice_id = i.id) AS unanswered_at,
           (SELECT max(a.sent_at) FROM attempt a WHERE a.invoice_id = i.id) AS last_sent_at,
           coalesce(seen.kept, '{}') AS kept, coalesce(seen.returned, '{}') AS returned,
           ARRAY(SELECT r.imp_uid FROM refund r WHERE r.invoice_id = i.id AND (r.state IN ('sent', 'unknown') OR (r.state = 'prepared' AND r.send_count > r.not_sent_count))) AS refunding
      FROM invoice i JOIN subscription s ON s.id = i.subscription_id JOIN policy_version p ON p.id = i.policy_version_id
      CROSS JOIN LATERAL (
        SELECT array_agg(o.imp_uid ORDER BY o.imp_uid) FILTER (WHERE o.gone_at IS NULL AND (o.cancel_amount < o.amount OR o.amount IS NULL)) AS kept,
               array_agg(o.imp_uid ORDER BY o.imp_uid) FILTER (WHERE o.gone_at IS NOT NULL OR o.cancel_amount >= o.amount) AS returned
          FROM observation o JOIN attempt a ON a.merchant_uid = o.merchant_uid
         WHERE a.invoice_id = i.id AND o.status IN ('paid', 'cancelled')) seen
     WHERE i.id = ${id}::uuid`;
  if (row === undefined) return null;
  const { unanswered_at: unansweredAt, last_sent_at: lastSentAt, now, ...rest } = row;
  return {
    ...rest,
    now: instant(now),
    unansweredAt: instantOrNull(unansweredAt),
    lastSentAt: instantOrNull(lastSentAt),
  };
}

/** An invoice that was read, as an order is judged on it. */
export function standingOf(
  { unansweredAt, policy, ...found }: InvoiceFound,
  channel: Pick<InvoiceStanding, 'quarantineSeconds' | 'declinesAreFinal'>,
): InvoiceStanding {
  const barredUntil = unansweredAt?.plus({ seconds: channel.quarantineSeconds }) ?? null;
  return { ...found, ...channel, barredUntil, minGapHours: policy.minGapHours };
}

/** An order that was judged: who gave it and why, of which invoice, and what this process takes the database for. */
export type Order = {
  readonly invoiceId: InvoiceId;
  readonly intervention: Intervention | 'mark-paid';
  readonly said: Said;
  /** Null for whichever it is. */
  readonly fingerprint: string | null;
};

/**
 * Carries an order out: invoice, living attempt, subscription, audit and message in one statement, in the order of locks
 * that every writer takes. Only in our own database, and only while everything stands as it was read: whether it does
 * (`stands`) is settled under locks before the first effect. Returns false when nothing was done.
 */
export async function intervene(db: Db, order: Order, found: InvoiceFound, change: Change): Promise<boolean> {
  const { invoiceId, intervention, said } = order;
  const { invoice, attempt, subscription, impUid = null } = change;
  const isOver = invoice.state !== 'open' && invoice.state !== 'retrying';
  const counts = invoice.state === 'held' ? null : 'settles';
  const [row] = await db.$queryRaw<{ done: number }[]>`
    WITH s AS MATERIALIZED (
      SELECT subscription.id, subscription.status FROM subscription JOIN invoice ON invoice.subscription_id = subscription.id
       WHERE invoice.id = ${invoiceId}::uuid AND subscription.status = ${found.status} FOR NO KEY UPDATE OF subscription
    ), i AS MATERIALIZED (
      SELECT invoice.id FROM invoice JOIN s ON s.id = invoice.subscription_id
       WHERE invoice.id = ${invoiceId}::uuid AND invoice.xmin::text = ${found.version} FOR NO KEY UPDATE OF invoice
    ), living AS MATERIALIZED (
      SELECT attempt.id FROM attempt JOIN i ON attempt.invoice_id = i.id
       WHERE attempt.id = ${found.living?.id ?? null}::uuid AND attempt.state = ${found.living?.state ?? null}
         AND attempt.fence = ${found.living?.fence ?? null}::integer FOR NO KEY UPDATE OF attempt
    ), payment AS MATERIALIZED (
      SELECT observation.imp_uid FROM observation JOIN i ON true WHERE observation.imp_uid = ${impUid} AND observation.status = 'paid' AND observation.gone_at IS NULL
         AND observation.accounted_as IS DISTINCT FROM 'settles' FOR NO KEY UPDATE OF observation
    ), given_back AS MATERIALIZED (
      -- A cancel that goes out changes no invoice: locked, so that none is sent while this one is carried out.
      SELECT refund.state IN ('sent', 'unknown') OR (refund.state = 'prepared' AND refund.send_count > refund.not_sent_count) AS is_open
        FROM refund JOIN i ON true WHERE refund.imp_uid = ${impUid} FOR NO KEY UPDATE OF refund
    ), stands AS MATERIALIZED (
      SELECT i.id FROM i WHERE (${attempt === null} OR EXISTS (SELECT FROM living))
         AND (${impUid === null} OR EXISTS (SELECT FROM payment)) AND NOT EXISTS (SELECT FROM given_back WHERE is_open)
    ), c AS MATERIALIZED (
      SELECT stands.id FROM control JOIN stands ON true WHERE fingerprint = coalesce(${order.fingerprint}, fingerprint) FOR SHARE OF control
    ), a AS (
      UPDATE attempt SET state = ${attempt ?? ''}, fail_reason = CASE WHEN ${attempt} <> 'paid' THEN ${said.reason} END,
             imp_uid = CASE WHEN ${attempt} = 'paid' THEN ${impUid} ELSE imp_uid END,
             answered_at = CASE WHEN ${attempt} = 'paid' THEN maedal_now() END, lease_until = NULL, lease_count = 0, updated_at = maedal_now()
        FROM c, living WHERE attempt.id = living.id AND ${attempt !== null}
    ), proof AS (
      -- Held, it is settled by the sweep, which accounts for that payment anew.
      UPDATE observation SET account_at = CASE WHEN ${counts}::text IS NULL THEN maedal_now() END, accounted_as = ${counts}::text
        FROM c, payment WHERE observation.imp_uid = payment.imp_uid
    ), spared AS (
      UPDATE refund SET state = 'failed', next_at = NULL, fail_reason = 'a person called the invoice paid by it', updated_at = maedal_now()
        FROM c, payment WHERE refund.imp_uid = payment.imp_uid AND refund.state = 'prepared'
    ), let_go AS (
      -- Given back or gone, and charged again all the same: a person said so.
      UPDATE observation SET account_at = NULL, accounted_as = 'returned' FROM c
       WHERE NOT ${isOver} AND observation.imp_uid = ANY(${[...found.returned]}::text[])
         AND (observation.gone_at IS NOT NULL OR observation.cancel_amount >= observation.amount)
    ), moved AS (
      UPDATE invoice SET state = ${invoice.state}, retry_key_id = NULL, updated_at = maedal_now(),
             reason = CASE WHEN ${isOver} THEN ${said.reason}::text WHEN reason = 'catch_up' THEN reason END,
             next_at = CASE WHEN NOT ${isOver} THEN maedal_now() END,
             paid_at = CASE WHEN ${invoice.state} = 'paid' THEN maedal_now() END,
             watch_at = coalesce(${invoice.watchAt?.toJSDate() ?? null}::timestamptz, watch_at)
        FROM c WHERE invoice.id = c.id
      RETURNING invoice.id
    ), standing AS (
      UPDATE subscription SET updated_at = maedal_now(), status = CASE WHEN ${subscription} = 'reopen' THEN 'past_due' ELSE maedal_status_owing(s.id, moved.id) END,
             access = CASE WHEN ${subscription} = 'clear' THEN maedal_access_owing(s.id, moved.id) ELSE access END
        FROM s, moved WHERE subscription.id = s.id AND CASE WHEN ${subscription} = 'reopen' THEN s.status = 'unpaid'
             ELSE s.status IN ('past_due', 'unpaid') END
    ), written AS (
      INSERT INTO audit (actor, action, subject, reason)
      SELECT ${said.actor}, ${ACTIONS[intervention]}, moved.id::text, ${said.reason} FROM moved
    ), told AS (
      INSERT INTO outbox (kind, subscription_id, invoice_id, payload, next_at)
      SELECT ${ACTIONS[intervention]}, s.id, moved.id, jsonb_build_object('invoice_id', moved.id, 'reason', ${said.reason}::text,
               'by', ${said.actor}::text), maedal_now() FROM s, moved
    )
    SELECT count(*)::integer AS done FROM moved`;
  return row?.done === 1;
}

/** Has the open charge of an invoice looked up as soon as a scheduler ticks. Changes nothing else. */
export async function lookUpSoon(db: Db, id: InvoiceId): Promise<void> {
  await db.$executeRaw`
    UPDATE invoice SET next_at = least(next_at, maedal_now()) WHERE id = ${id}::uuid AND state IN ('open', 'retrying')
       AND EXISTS (SELECT FROM attempt a WHERE a.invoice_id = invoice.id AND a.state = 'unknown'
                      AND (a.lease_until IS NULL OR a.lease_until <= maedal_now()))`;
}

/** In the audit and as events alike. */
const ACTIONS: Readonly<Record<Order['intervention'], string>> = {
  retry: 'invoice.retried',
  release: 'invoice.released',
  void: 'invoice.voided',
  'mark-paid': 'invoice.marked_paid',
};

type Row = Omit<InvoiceFound, 'unansweredAt' | 'lastSentAt' | 'now'> & {
  unanswered_at: Date | null;
  last_sent_at: Date | null;
  now: Date;
};
