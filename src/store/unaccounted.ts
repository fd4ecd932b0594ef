import type { DateTime } from 'luxon';
import type { AttemptStanding, AttemptState } from '../billing/attempt.ts';
import type { Capture } from '../billing/capture.ts';
import type { InvoiceId, MerchantUid } from '../billing/ids.ts';
import type { DunningPolicy } from '../billing/policy.ts';
import type { Db } from './db.ts';
import { instant, instantOrNull } from './instant.ts';
import { Prisma } from './prisma/client.ts';
import type { Subject } from './record.ts';
import { ELSEWHERE } from './refunds-elsewhere.ts';

/** A capture that nobody accounted for yet, with what settling it is decided on. */
export type Unaccounted = {
  readonly capture: Capture;
  /** Its attempt, as `record` names it. */
  readonly own: Subject & Omit<AttemptStanding, 'quarantineSeconds'>;
  /** The other attempt of the invoice that is alive. */
  readonly living: Subject | null;
  readonly channel: string;
  readonly policy: DunningPolicy;
  readonly now: DateTime;
};

/** Whether the payment `o` is to be accounted for now. */
export const UNACCOUNTED = Prisma.sql`o.account_at <= maedal_now() AND o.status IN ('paid', 'cancelled')`;

/** Up to `limit` captures that are to be accounted for, those that wait longest first. Locks nothing. */
export async function unaccountedCaptures(db: Db, limit: number, sandbox: boolean): Promise<Unaccounted[]> {
  const rows = await db.$queryRaw<Row[]>`
    SELECT o.imp_uid, o.status, o.amount::float8 AS captured, o.currency AS captured_currency, o.cancel_amount::float8 AS cancel_amount,
           o.gone_at IS NOT NULL AS gone, o.customer_uid, o.sandbox, maedal_now() AS now, p.policy, i.id AS invoice_id, i.state AS invoice_state, i.period_key, i.due_at,
           i.failures, s.id AS subscription_id, s.external_id, s.channel, a.state, a.fence, a.merchant_uid, a.sent_at,
           a.imp_uid AS paid_by, coalesce(a.lease_until > maedal_now(), false) AS leased, a.send_count - a.not_sent_count AS sends,
           coalesce(a.amount, i.amount)::float8 AS amount, coalesce(a.currency, i.currency) AS currency,
           coalesce(a.customer_uid, k.customer_uid) AS asked_customer_uid,
           (SELECT coalesce(sum(r.amount), 0) FROM refund r WHERE r.imp_uid = o.imp_uid AND r.state <> 'failed' AND r.requested_by <> ${ELSEWHERE})::float8 AS refunded,
           EXISTS (SELECT FROM observation x JOIN attempt y ON y.merchant_uid = x.merchant_uid
                    WHERE y.invoice_id = i.id AND x.imp_uid <> o.imp_uid AND x.accounted_as = 'review' AND x.gone_at IS NULL
                      AND (x.status = 'paid' OR (x.status = 'cancelled' AND (x.amount IS NULL OR x.cancel_amount < x.amount)))) AS others_in_review,
           (SELECT jsonb_build_object('state', b.state, 'fence', b.fence, 'merchantUid', b.merchant_uid,
                                      'leased', coalesce(b.lease_until > maedal_now(), false))
              FROM attempt b WHERE b.invoice_id = i.id AND b.id <> a.id
               AND b.state IN ('prepared', 'sent', 'unknown', 'paid', 'review')) AS living
      FROM observation o
      JOIN attempt a ON a.merchant_uid = o.merchant_uid
      JOIN invoice i ON i.id = a.invoice_id
      JOIN policy_version p ON p.id = i.policy_version_id
      JOIN subscription s ON s.id = i.subscription_id
      JOIN billing_key k ON k.id = s.billing_key_id
     WHERE ${UNACCOUNTED}
     ORDER BY o.account_at, o.paid_at, o.imp_uid LIMIT ${limit}`;
  return rows.map((row) => unaccounted(row, sandbox));
}

function unaccounted(row: Row, sandbox: boolean): Unaccounted {
  const amount = { minor: row.amount, currency: row.currency };
  const subject = {
    invoiceId: row.invoice_id,
    periodKey: row.period_key,
    amount,
    subscription: { id: row.subscription_id, externalId: row.external_id },
  };
  const { living } = row;
  return {
    capture: captureOf(row, { customerUid: row.asked_customer_uid, amount, sandbox }),
    own: {
      ...subject,
      merchantUid: row.merchant_uid,
      fence: row.fence,
      state: row.state,
      dueAt: instant(row.due_at),
      sentAt: instantOrNull(row.sent_at),
      failures: row.failures,
      timesNotSent: 0,
      unsettledSince: null,
      collecting: null,
      sends: row.sends,
    },
    living: living === null ? null : { ...subject, merchantUid: living.merchantUid, fence: living.fence },
    channel: row.channel,
    policy: row.policy,
    now: instant(row.now),
  };
}

function captureOf(row: Row, asked: Capture['attempt']['asked']): Capture {
  const { captured, captured_currency: currency, living } = row;
  return {
    impUid: row.imp_uid,
    status: row.status,
    presence: row.gone ? 'gone' : 'there',
    amount: captured === null || currency === null ? null : { minor: captured, currency },
    cancelMinor: row.cancel_amount,
    customerUid: row.customer_uid,
    sandbox: row.sandbox,
    refundMinor: row.refunded,
    attempt: {
      state: row.state,
      impUid: row.paid_by,
      hold: row.leased ? 'leased' : 'free',
      asked,
      invoice: row.invoice_state,
      others: row.others_in_review ? 'in-review' : 'none',
      sibling: living === null ? null : { state: living.state, hold: living.leased ? 'leased' : 'free' },
    },
  };
}

type Row = {
  imp_uid: string;
  status: 'paid' | 'cancelled';
  captured: number | null;
  captured_currency: string | null;
  cancel_amount: number;
  gone: boolean;
  customer_uid: string | null;
  sandbox: boolean | null;
  refunded: number;
  now: Date;
  policy: DunningPolicy;
  invoice_id: InvoiceId;
  invoice_state: string;
  others_in_review: boolean;
  period_key: string;
  due_at: Date;
  failures: number;
  subscription_id: string;
  external_id: string;
  channel: string;
  state: AttemptState;
  fence: number;
  merchant_uid: MerchantUid;
  sent_at: Date | null;
  paid_by: string | null;
  leased: boolean;
  sends: number;
  amount: number;
  currency: string;
  asked_customer_uid: string;
  living: { state: AttemptState; fence: number; merchantUid: MerchantUid; leased: boolean } | null;
};
