import type { InvoiceId } from '../billing/ids.ts';
import type { Refundable, RefundOrder } from '../billing/refund-order.ts';
import type { Db } from './db.ts';

/** Whether a person may have money given back here, and if not, which fence stands against it. */
export type OrderVerdict =
  | { readonly kind: 'ordered'; readonly refundIds: readonly string[] }
  /** Somebody else was quicker: nothing of it was ordered, or not all. */
  | { readonly kind: 'overtaken' }
  | {
      readonly kind: 'fenced';
      readonly because: 'foreign_database' | 'switched_off' | 'not_adopted';
      readonly reason: string | null;
    };

/** Who wants it, why, and what this process takes the database for. */
export type RefundWish = {
  readonly invoiceId: InvoiceId;
  readonly order: RefundOrder;
  readonly actor: string;
  readonly reason: string;
  readonly needsAdoption: boolean;
  readonly fingerprint: string;
};

/** An invoice and what the gateway was seen to take for it; null when there is no such invoice. */
export async function readRefundables(
  db: Db,
  id: InvoiceId,
): Promise<{ readonly invoice: { readonly state: string }; readonly payments: readonly Refundable[] } | null> {
  const invoice = await db.invoice.findUnique({ where: { id }, select: { state: true } });
  if (invoice === null) return null;
  const rows = await db.$queryRaw<Row[]>`
    SELECT o.imp_uid, o.amount::float8 AS captured, o.currency, o.cancel_amount::float8 AS cancelled, r.id AS refund_id, r.next_at IS NULL AS proposed,
           CASE WHEN o.gone_at IS NOT NULL THEN 'gone' WHEN a.state = 'paid' AND a.imp_uid = o.imp_uid THEN 'settles'
                WHEN o.accounted_as IN ('refund', 'returned') THEN 'surplus' ELSE 'other' END AS standing
      FROM attempt a JOIN observation o ON o.merchant_uid = a.merchant_uid
      LEFT JOIN refund r ON r.imp_uid = o.imp_uid AND r.state IN ('prepared', 'sent', 'unknown')
     WHERE a.invoice_id = ${id}::uuid AND o.status IN ('paid', 'cancelled') AND o.amount IS NOT NULL
     ORDER BY o.first_seen_at, o.imp_uid`;
  return { invoice, payments: rows.map(refundable) };
}

/**
 * Carries a person's word out: proposals are approved and new refunds begin, due at once, each with an audit row; one
 * statement, which re-checks that this is our own database, that sending is on, and that everything is as it was read.
 */
export async function orderRefunds(db: Db, wish: RefundWish): Promise<OrderVerdict> {
  const { approve, begin } = wish.order;
  const [row] = await db.$queryRaw<VerdictRow[]>`
    WITH standing AS MATERIALIZED (
      SELECT c.sending_enabled, c.sending_reason, c.adopted_at IS NOT NULL OR NOT ${wish.needsAdoption} AS adopted,
             coalesce(c.fingerprint = ${wish.fingerprint}, false) AS is_ours FROM control c
    ), i AS MATERIALIZED (
      SELECT invoice.id, invoice.state FROM invoice, standing
       WHERE invoice.id = ${wish.invoiceId}::uuid AND sending_enabled AND adopted AND is_ours FOR NO KEY UPDATE OF invoice
    ), approved AS (
      UPDATE refund SET next_at = maedal_now(), requested_by = ${wish.actor}, updated_at = maedal_now() FROM i
       WHERE refund.invoice_id = i.id AND refund.id = ANY(${[...approve]}::uuid[]) AND refund.state = 'prepared' AND refund.next_at IS NULL
      RETURNING refund.id, refund.imp_uid, refund.amount, refund.currency
    ), begun AS (
      INSERT INTO refund (invoice_id, imp_uid, amount, currency, checksum, reason, requested_by, next_at)
      SELECT i.id, o.imp_uid, wanted.amount, o.currency, wanted.checksum, ${wish.reason}, ${wish.actor}, maedal_now()
        FROM i, jsonb_to_recordset(${JSON.stringify(begin.map(columns))}::jsonb) AS wanted (imp_uid text, amount bigint, checksum bigint)
        JOIN observation o USING (imp_uid) JOIN attempt a ON a.merchant_uid = o.merchant_uid
       WHERE a.invoice_id = i.id AND o.gone_at IS NULL AND o.amount - o.cancel_amount = wanted.checksum AND wanted.amount <= wanted.checksum
         AND CASE WHEN a.state = 'paid' AND a.imp_uid = o.imp_uid THEN i.state = 'paid' WHEN i.state = 'review' THEN true ELSE o.accounted_as IN ('refund', 'returned') END
      ON CONFLICT DO NOTHING RETURNING refund.id, refund.imp_uid, refund.amount, refund.currency
    ), ordered AS (
      SELECT *, 'refund.approved' AS action FROM approved UNION ALL SELECT *, 'refund.requested' FROM begun
    ), noted AS (
      INSERT INTO audit (actor, action, subject, reason, details)
      SELECT ${wish.actor}, action, ${wish.invoiceId}, ${wish.reason},
             jsonb_build_object('refund', id, 'imp_uid', imp_uid, 'amount', amount, 'currency', currency) FROM ordered
    )
    SELECT standing.*, ARRAY(SELECT id FROM ordered)::text[] AS ids FROM standing`;
  return verdict(row, approve.length + begin.length);
}

/** How refunds stand, as far as whoever ordered them is told. */
export async function readRefunds(db: Db, ids: readonly string[]) {
  return db.refund.findMany({ where: { id: { in: [...ids] } }, orderBy: [{ created_at: 'asc' }, { id: 'asc' }] });
}

function verdict(row: VerdictRow | undefined, wanted: number): OrderVerdict {
  if (row === undefined) throw new Error('the database has no control row');
  const { sending_reason: reason } = row;
  if (!row.is_ours) return { kind: 'fenced', because: 'foreign_database', reason: null };
  if (!row.sending_enabled) return { kind: 'fenced', because: 'switched_off', reason };
  if (!row.adopted) return { kind: 'fenced', because: 'not_adopted', reason: null };
  return row.ids.length === wanted ? { kind: 'ordered', refundIds: row.ids } : { kind: 'overtaken' };
}

function refundable(row: Row): Refundable {
  return {
    impUid: row.imp_uid,
    captured: { minor: row.captured, currency: row.currency },
    cancelledMinor: row.cancelled,
    standing: row.standing,
    open: row.refund_id === null ? null : { id: row.refund_id, stage: row.proposed ? 'proposed' : 'under-way' },
  };
}

function columns({ impUid, amount, checksum }: RefundOrder['begin'][number]): Record<string, unknown> {
  return { imp_uid: impUid, amount: amount.minor, checksum: checksum.minor };
}

type Row = {
  imp_uid: string;
  captured: number;
  currency: string;
  cancelled: number;
  standing: Refundable['standing'];
  refund_id: string | null;
  proposed: boolean;
};

type VerdictRow = {
  sending_enabled: boolean;
  sending_reason: string | null;
  adopted: boolean;
  is_ours: boolean;
  ids: string[];
};
