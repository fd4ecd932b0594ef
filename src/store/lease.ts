import type { DateTime } from 'luxon';
import type { AttemptId, InvoiceId, MerchantUid } from '../billing/ids.ts';
import type { Money } from '../billing/money.ts';
import type { CardStanding } from '../billing/next-try.ts';
import type { DunningPolicy } from '../billing/policy.ts';
import { type CardRow, cardsIn } from './cards.ts';
import type { Db } from './db.ts';
import { instant, instantOrNull } from './instant.ts';
import { isOrdered } from './ordered.ts';
import { Prisma } from './prisma/client.ts';

/**
 * A `merchant_uid`, and whether the gateway was ever seen to know it: then "not found" is no answer. Where a send of it
 * was never answered, "not found" is worth no more than beside a payment that is found. `isReturned`: what was paid under it
 * was given back, and a person let the invoice go on.
 */
type KnownUid = {
  readonly merchantUid: MerchantUid;
  readonly wasSeen: boolean;
  readonly isUnanswered: boolean;
  readonly isReturned: boolean;
};

/** An attempt in one worker's hands until its lease ends. Instants by the database's clock. */
export type LeasedAttempt = {
  readonly id: AttemptId;
  readonly invoiceId: InvoiceId;
  readonly number: number;
  readonly merchantUid: MerchantUid;
  /** `prepared`: to be charged. `unknown`: to be looked up. */
  readonly state: 'prepared' | 'unknown';
  /** Rises with every lease; a record made under an older one is refused. */
  readonly fence: number;
  /** Leases that ended without a record, this one included. */
  readonly leaseCount: number;
  readonly sendCount: number;
  readonly notSentCount: number;
  /** "Not found" answers since the last send. */
  readonly notFoundCount: number;
  readonly sentAt: DateTime | null;
  /** Since when it is put off because the gateway settles one of its ids neither way; null when it is not. */
  readonly unsettledSince: DateTime | null;
  readonly now: DateTime;
  readonly amount: Money;
  readonly taxFreeMinor: number;
  readonly vatMinor: number | null;
  readonly name: string;
  /** What the merchant's hooks have sent beside the charge. */
  readonly customData: Readonly<Record<string, unknown>> | null;
  /** A person has let it go since its invoice was last tried. */
  readonly isOrdered: boolean;
  readonly dueAt: DateTime;
  readonly failures: number;
  readonly isWrittenOff: boolean;
  readonly policy: DunningPolicy;
  readonly periodKey: string;
  readonly subscription: { readonly id: string; readonly externalId: string; readonly channel: string };
  readonly buyer: { readonly name: string | null; readonly email: string | null; readonly tel: string | null };
  readonly billingKey: {
    readonly id: string;
    readonly customerUid: string;
    /** Which of the cards that were registered under it one after another is there now. */
    readonly registration: number;
    readonly sandbox: boolean | null;
  };
  /** The payer's cards, as they stand before this attempt. */
  readonly cards: readonly CardStanding[];
  /** That of them on which it was last sent, or is to be; null where another one was registered in its place. */
  readonly cardId: string | null;
  /** Every `merchant_uid` of the invoice up to this attempt's own, which is the last. */
  readonly uids: readonly KnownUid[];
  /** Records of this attempt's id seen before its first send. */
  readonly seenBefore: readonly string[];
  /**
   * Whether an audit passed in this database's present incarnation, and not longer ago than a day and a bit. It vouches
   * for nothing that was due when a person last let charges go again: what an audit found unknown then, and what that
   * person took for settled, may be of this very period. `outdated`: the last audit looked at another life of this
   * database, or is too old.
   */
  readonly audit: 'passed' | 'outdated' | 'missing';
};

/**
 * Takes the attempt that was rung into this worker's hands for `leaseSeconds`, or returns null: somebody else has it,
 * it is settled, or the ring was taken. A ring is worth one lease, to whichever job comes first: were it the newest job's
 * alone, a backlog longer than a re-ring would leave nothing but stale jobs at the head of the queue. What is decided from
 * here on follows the version of its policy that is in force now, by the policy's name in `versions`.
 */
export async function lease(
  db: Db,
  ring: { attemptId: AttemptId; generation: number },
  leaseSeconds: number,
  versions: Readonly<Record<string, string>> = {},
): Promise<LeasedAttempt | null> {
  const [row] = await db.$queryRaw<Row[]>`
    WITH i AS MATERIALIZED (
      SELECT invoice.* FROM invoice JOIN attempt ON attempt.invoice_id = invoice.id
       WHERE attempt.id = ${ring.attemptId}::uuid AND invoice.state IN ('open', 'retrying') FOR NO KEY UPDATE OF invoice
    ), a AS (
      UPDATE attempt SET fence = fence + 1, lease_count = lease_count + 1, rung_at = NULL, updated_at = maedal_now(),
             lease_until = maedal_now() + make_interval(secs => ${leaseSeconds})
        FROM i
       WHERE attempt.id = ${ring.attemptId}::uuid AND attempt.rung_at IS NOT NULL
         AND attempt.state IN ('prepared', 'unknown')
         AND (attempt.lease_until <= maedal_now() OR attempt.lease_until IS NULL)
      RETURNING attempt.*
    ), put_off AS (
      UPDATE invoice SET next_at = a.lease_until,
             policy_version_id = coalesce(in_force.by_policy ->> subscription.policy, in_force.by_policy ->> 'default', invoice.policy_version_id)
        FROM a, subscription, (SELECT ${JSON.stringify(versions)}::jsonb AS by_policy) in_force
       WHERE invoice.id = a.invoice_id AND subscription.id = invoice.subscription_id
      RETURNING invoice.policy_version_id
    )
    SELECT a.id, a.invoice_id, a.number, a.merchant_uid, a.state, a.fence, a.lease_count, a.send_count, a.not_sent_count, a.not_found_count,
           a.sent_at, a.unsettled_since, maedal_now() AS now, coalesce(a.amount, i.amount)::float8 AS amount, coalesce(a.currency, i.currency) AS currency,
           coalesce(a.tax_free, i.tax_free)::float8 AS tax_free,
           (CASE WHEN a.send_count > 0 THEN a.vat ELSE i.vat END)::float8 AS vat,
           CASE WHEN a.send_count > 0 THEN a.custom_data ELSE i.custom_data END AS custom_data,
           ${isOrdered(Prisma.sql`i`)} AS is_ordered, coalesce(a.name, i.name) AS name, i.due_at, i.failures, i.written_off, p.policy, i.period_key,
           s.id AS subscription_id, s.external_id, s.channel, c.name AS buyer_name, c.email AS buyer_email, c.tel AS buyer_tel,
           k.id AS billing_key_id, coalesce(a.customer_uid, k.customer_uid) AS customer_uid, k.sandbox, k.registration,
           CASE WHEN a.send_count = 0 OR a.registration = k.registration THEN k.id END AS card_id,
           (SELECT jsonb_agg(jsonb_build_object('merchantUid', other.merchant_uid, 'isUnanswered', maedal_unanswered_at(other) IS NOT NULL,
                     'isReturned', EXISTS (SELECT FROM observation o WHERE o.merchant_uid = other.merchant_uid AND o.accounted_as = 'returned'), 'wasSeen', EXISTS (
                     SELECT FROM observation o WHERE o.merchant_uid = other.merchant_uid AND o.gone_at IS NULL)) ORDER BY other.number)
              FROM attempt other WHERE other.invoice_id = i.id AND other.number <= a.number) AS uids,
           maedal_cards(i.id) AS cards,
           ARRAY(SELECT imp_uid FROM observation o WHERE o.merchant_uid = a.merchant_uid
                    AND o.first_seen_at <= coalesce(a.first_sent_at, maedal_now())) AS seen_before,
           CASE WHEN NOT coalesce(control.audited_in = maedal_incarnation()
                                  AND control.audited_at > maedal_now() - ${AUDIT_LASTS}::interval, false)
                THEN CASE WHEN control.audited_in IS NULL THEN 'missing' ELSE 'outdated' END
                WHEN i.due_at <= control.acknowledged_at THEN 'missing' ELSE 'passed' END AS audit
      FROM a JOIN i ON i.id = a.invoice_id
      JOIN subscription s ON s.id = i.subscription_id
      JOIN customer c ON c.id = s.customer_id
      JOIN billing_key k ON k.id = coalesce(a.billing_key_id, s.billing_key_id)
      JOIN policy_version p ON p.id = (SELECT policy_version_id FROM put_off)
      CROSS JOIN control`;
  return row === undefined ? null : leased(row);
}

function leased(row: Row): LeasedAttempt {
  return {
    id: row.id,
    invoiceId: row.invoice_id,
    number: row.number,
    merchantUid: row.merchant_uid,
    state: row.state,
    fence: row.fence,
    leaseCount: row.lease_count,
    sendCount: row.send_count,
    notSentCount: row.not_sent_count,
    notFoundCount: row.not_found_count,
    sentAt: instantOrNull(row.sent_at),
    unsettledSince: instantOrNull(row.unsettled_since),
    now: instant(row.now),
    amount: { minor: row.amount, currency: row.currency },
    taxFreeMinor: row.tax_free,
    vatMinor: row.vat,
    name: row.name,
    customData: row.custom_data,
    isOrdered: row.is_ordered,
    dueAt: instant(row.due_at),
    failures: row.failures,
    isWrittenOff: row.written_off,
    policy: row.policy,
    periodKey: row.period_key,
    subscription: { id: row.subscription_id, externalId: row.external_id, channel: row.channel },
    buyer: { name: row.buyer_name, email: row.buyer_email, tel: row.buyer_tel },
    billingKey: {
      id: row.billing_key_id,
      customerUid: row.customer_uid,
      registration: row.registration,
      sandbox: row.sandbox,
    },
    cards: cardsIn(row.cards),
    cardId: row.card_id,
    uids: row.uids,
    seenBefore: row.seen_before,
    audit: row.audit,
  };
}

/** Audits are made daily; one that is late by more than this counts no more. */
export const AUDIT_LASTS = '26 hours';

type Row = {
  id: AttemptId;
  invoice_id: InvoiceId;
  number: number;
  merchant_uid: MerchantUid;
  state: 'prepared' | 'unknown';
  fence: number;
  lease_count: number;
  send_count: number;
  not_sent_count: number;
  not_found_count: number;
  sent_at: Date | null;
  unsettled_since: Date | null;
  now: Date;
  amount: number;
  currency: string;
  tax_free: number;
  vat: number | null;
  name: string;
  custom_data: Readonly<Record<string, unknown>> | null;
  is_ordered: boolean;
  due_at: Date;
  failures: number;
  written_off: boolean;
  policy: DunningPolicy;
  period_key: string;
  subscription_id: string;
  external_id: string;
  channel: string;
  buyer_name: string | null;
  buyer_email: string | null;
  buyer_tel: string | null;
  billing_key_id: string;
  customer_uid: string;
  sandbox: boolean | null;
  registration: number;
  cards: CardRow[];
  card_id: string | null;
  uids: KnownUid[];
  seen_before: string[];
  audit: LeasedAttempt['audit'];
};
