import type { DateTime } from 'luxon';
import { closedAfterSeconds, type Reach } from '../billing/absence.ts';
import type { InvoiceId } from '../billing/ids.ts';
import type { RefundTransition } from '../billing/refund.ts';
import type { Db } from './db.ts';
import { instant, instantOrNull } from './instant.ts';

/** A refund in one worker's hands until its lease ends. Amounts in minor units, instants by the database's clock. */
export type LeasedRefund = {
  readonly id: string;
  readonly invoiceId: InvoiceId;
  readonly impUid: string;
  readonly merchantUid: string;
  /** `prepared`: to be sent. `unknown`: what was sent has no answer. */
  readonly state: 'prepared' | 'unknown';
  /** Rises with every lease; a record made under an older one is refused. */
  readonly fence: number;
  readonly currency: string;
  readonly amountMinor: number;
  readonly checksumMinor: number;
  readonly capturedMinor: number;
  readonly reason: string;
  /** The payment that is to stay in its stead, where no person asked for this refund; null for none. */
  readonly keeps: string | null;
  /** Intents that were not proved unsent. */
  readonly sends: number;
  readonly sentAt: DateTime | null;
  readonly now: DateTime;
  readonly periodKey: string;
  readonly subscription: { readonly id: string; readonly externalId: string; readonly channel: string };
};

/**
 * Takes the refund that is due longest into this worker's hands for `leaseSeconds`, of those named if any are; null when
 * none is due. What was sent and never recorded becomes `unknown`.
 */
export async function leaseRefund(
  db: Db,
  leaseSeconds: number,
  only: readonly string[] | null,
): Promise<LeasedRefund | null> {
  const [row] = await db.$queryRaw<Row[]>`
    WITH due AS MATERIALIZED (
      SELECT id FROM refund
       WHERE next_at <= maedal_now() AND (${only === null} OR id = ANY(${[...(only ?? [])]}::uuid[]))
       ORDER BY next_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
    ), r AS (
      UPDATE refund SET fence = fence + 1, lease_until = maedal_now() + make_interval(secs => ${leaseSeconds}),
             next_at = maedal_now() + make_interval(secs => ${leaseSeconds}), updated_at = maedal_now(),
             state = CASE refund.state WHEN 'sent' THEN 'unknown' ELSE refund.state END,
             fail_reason = CASE refund.state WHEN 'sent' THEN 'the worker that sent it never reported back' ELSE refund.fail_reason END
        FROM due WHERE refund.id = due.id RETURNING refund.*
    )
    SELECT r.id, r.invoice_id, r.imp_uid, o.merchant_uid, r.state, r.fence, r.currency, r.amount::float8 AS amount, r.checksum::float8 AS checksum,
           o.amount::float8 AS captured, r.reason, r.send_count - r.not_sent_count AS sends, r.sent_at, maedal_now() AS now,
           (SELECT a.imp_uid FROM attempt a WHERE a.invoice_id = i.id AND i.state = 'paid' AND a.state = 'paid' AND a.imp_uid <> r.imp_uid AND r.requested_by = ${NOBODY}) AS keeps,
           i.period_key, s.id AS subscription_id, s.external_id, s.channel
      FROM r JOIN observation o ON o.imp_uid = r.imp_uid
      JOIN invoice i ON i.id = r.invoice_id
      JOIN subscription s ON s.id = i.subscription_id`;
  return row === undefined ? null : leased(row);
}

/** The lease outlives the call's time limit by half a minute. */
export type RefundLimits = Reach & {
  readonly needsAdoption: boolean;
  /** What this process takes the database for; another one cancels nothing. */
  readonly fingerprint: string;
};

export type RefundIntent =
  | { readonly kind: 'sent'; readonly sentAt: DateTime }
  | {
      readonly kind: 'refused';
      readonly because: 'lost' | 'foreign_database' | 'switched_off' | 'not_adopted' | 'in_review';
    };

/**
 * Writes the intent to cancel: one statement, which locks the invoice, then the switch, and re-checks fence, lease,
 * horizon, kill switch, and that this is our own database. A refund that no person asked for waits while its invoice is
 * in review: what should stay may be gone.
 * Only an acknowledged `sent` may be followed by a POST.
 */
export async function writeRefundIntent(db: Db, refund: LeasedRefund, limits: RefundLimits): Promise<RefundIntent> {
  const [row] = await db.$queryRaw<IntentRow[]>`
    WITH i AS MATERIALIZED (
      SELECT state FROM invoice WHERE id = ${refund.invoiceId}::uuid FOR NO KEY UPDATE
    ), c AS MATERIALIZED (
      -- Locked after the invoice, which may have to be waited for: what is switched off meanwhile is off.
      SELECT control.* FROM control JOIN i ON true FOR SHARE OF control
    ), standing AS MATERIALIZED (
      SELECT c.sending_enabled, c.adopted_at IS NOT NULL OR NOT ${limits.needsAdoption} AS adopted,
             coalesce(c.fingerprint = ${limits.fingerprint}, false) AS is_ours, i.state = 'review' AS in_review
        FROM c CROSS JOIN i
    ), sent AS (
      UPDATE refund SET state = 'sent', send_count = send_count + 1, sent_at = maedal_now(), updated_at = maedal_now(),
             fail_reason = NULL, lease_until = maedal_now() + make_interval(secs => ${limits.timeoutSeconds + LEASE_MARGIN_SECONDS}),
             next_at = maedal_now() + make_interval(secs => ${limits.timeoutSeconds + LEASE_MARGIN_SECONDS})
        FROM standing
       WHERE refund.id = ${refund.id}::uuid AND refund.fence = ${refund.fence} AND refund.state = ${refund.state}
         AND refund.lease_until > maedal_now()
         AND (refund.state = 'prepared' OR refund.sent_at <= maedal_now() - make_interval(secs => ${closedAfterSeconds(limits)}))
         AND standing.is_ours AND standing.sending_enabled AND standing.adopted
         AND (refund.requested_by <> ${NOBODY} OR NOT standing.in_review)
      RETURNING refund.sent_at
    )
    SELECT standing.*, sent.sent_at, (SELECT requested_by FROM refund WHERE id = ${refund.id}::uuid) = ${NOBODY} AS unasked
      FROM standing LEFT JOIN sent ON true`;
  return verdict(row);
}

/**
 * Carries out a transition: the refund, the invoice that ends with it, and the message, in one statement. Returns false
 * when the refund is no longer as it was leased; what the gateway did is recorded whatever the fence.
 */
export async function recordRefund(db: Db, refund: LeasedRefund, next: RefundTransition): Promise<boolean> {
  const id = next.cancellationId ?? null;
  const rows = await db.$queryRaw<{ recorded: number }[]>`
    WITH i AS MATERIALIZED (
      SELECT id, subscription_id FROM invoice WHERE id = ${refund.invoiceId}::uuid FOR NO KEY UPDATE
    ), r AS (
      UPDATE refund SET state = ${next.state}, lease_until = NULL, next_at = ${next.nextAt?.toJSDate() ?? null}::timestamptz,
             fail_reason = ${next.reason}, not_sent_count = not_sent_count + ${next.notSent === true ? 1 : 0}, updated_at = maedal_now(),
             cancellation_id = CASE WHEN NOT EXISTS (SELECT FROM refund other WHERE other.cancellation_id = ${id}) THEN ${id} END
        FROM i
       WHERE refund.id = ${refund.id}::uuid AND refund.invoice_id = i.id AND refund.state = ANY(${[...next.from]}::text[])
         AND (refund.fence = ${refund.fence} OR ${next.fence} = 'unfenced')
      RETURNING refund.*
    ), ended AS (
      UPDATE invoice SET state = 'refunded', reason = r.reason, updated_at = maedal_now()
        FROM r WHERE invoice.id = r.invoice_id AND ${next.invoice ?? 'same'} = 'refunded' AND invoice.state = 'paid'
         AND EXISTS (SELECT FROM attempt a WHERE a.invoice_id = invoice.id AND a.state = 'paid' AND a.imp_uid = r.imp_uid)
    ), told AS (
      INSERT INTO outbox (kind, subscription_id, invoice_id, payload, next_at)
      SELECT ${next.event ?? ''}, i.subscription_id, i.id, ${JSON.stringify(snapshot(refund))}::jsonb
             || jsonb_build_object('reason', coalesce(r.fail_reason, r.reason)), maedal_now()
        FROM i, r WHERE ${next.event ?? ''} <> ''
    )
    SELECT count(*)::integer AS recorded FROM r`;
  return rows[0]?.recorded === 1;
}

function snapshot(refund: LeasedRefund): Record<string, unknown> {
  return {
    subscription_id: refund.subscription.externalId,
    invoice_id: refund.invoiceId,
    period: refund.periodKey,
    imp_uid: refund.impUid,
    amount: refund.amountMinor,
    currency: refund.currency,
  };
}

function verdict(row: IntentRow | undefined): RefundIntent {
  if (row === undefined) return { kind: 'refused', because: 'lost' };
  if (row.sent_at !== null) return { kind: 'sent', sentAt: instant(row.sent_at) };
  if (!row.is_ours) return { kind: 'refused', because: 'foreign_database' };
  if (!row.sending_enabled) return { kind: 'refused', because: 'switched_off' };
  if (!row.adopted) return { kind: 'refused', because: 'not_adopted' };
  return { kind: 'refused', because: row.unasked && row.in_review ? 'in_review' : 'lost' };
}

function leased(row: Row): LeasedRefund {
  return {
    id: row.id,
    invoiceId: row.invoice_id,
    impUid: row.imp_uid,
    merchantUid: row.merchant_uid,
    state: row.state,
    fence: row.fence,
    currency: row.currency,
    amountMinor: row.amount,
    checksumMinor: row.checksum,
    capturedMinor: row.captured,
    reason: row.reason,
    keeps: row.keeps,
    sends: row.sends,
    sentAt: instantOrNull(row.sent_at),
    now: instant(row.now),
    periodKey: row.period_key,
    subscription: { id: row.subscription_id, externalId: row.external_id, channel: row.channel },
  };
}

/** `requested_by` of what no person asked for. */
const NOBODY = 'maedal';
const LEASE_MARGIN_SECONDS = 30;

type IntentRow = {
  sending_enabled: boolean;
  adopted: boolean;
  is_ours: boolean;
  in_review: boolean;
  unasked: boolean;
  sent_at: Date | null;
};

type Row = {
  id: string;
  invoice_id: InvoiceId;
  imp_uid: string;
  merchant_uid: string;
  state: 'prepared' | 'unknown';
  fence: number;
  currency: string;
  amount: number;
  checksum: number;
  captured: number;
  reason: string;
  keeps: string | null;
  sends: number;
  sent_at: Date | null;
  now: Date;
  period_key: string;
  subscription_id: string;
  external_id: string;
  channel: string;
};
