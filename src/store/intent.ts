import type { Db } from './db.ts';
import type { LeasedAttempt } from './lease.ts';

export type IntentLimits = {
  /** The gateway's time limit for one call; the lease outlives it by half a minute. */
  readonly timeoutSeconds: number;
  /** H_long: how long a send that nothing answered bars every other id of its invoice. */
  readonly quarantineSeconds: number;
  /** The largest amount that may be sent, in minor units; null for no cap. */
  readonly maxAmountMinor: number | null;
  /** The most that before-hooks may make of a charge, by plan and currency, `basic KRW`; else that is its price. */
  readonly ceilings?: Readonly<Record<string, number>>;
  /** Whether this environment sends nothing before the database was adopted for it. */
  readonly needsAdoption: boolean;
  /** What this process takes the database for (`control.fingerprint`); another one sends nothing. */
  readonly fingerprint: string;
};

/** Whether the intent stands, and if not, the first thing that stood against it. */
export type Intent =
  | { readonly kind: 'sent'; readonly sends: number; readonly sentAt: Date }
  | {
      readonly kind: 'refused';
      readonly because:
        | 'lost'
        | 'subscription_canceled'
        | 'subscription_stopped'
        | 'switched_off'
        | 'not_adopted'
        | 'foreign_database'
        | 'over_max_amount'
        /** A before-hook made more of it than its plan allows. */
        | 'over_ceiling'
        /** A payment of the invoice is known that nobody accounted for yet. */
        | 'captured';
    }
  /** The gateway is going to charge this card by itself: `reason` says when. */
  | { readonly kind: 'refused'; readonly because: 'billing_key_held'; readonly reason: string }
  /**
   * `spaced`: a missed period, and another one of the customer was charged less than a day ago. `capped`: the card was
   * declined as often as its policy allows, or may be by what is on its way. `blocked_today`: the payment company said of
   * some charge on the card that it may not be tried again today. `quarantined`: a send of another attempt of the invoice
   * was never answered, and may still be captured.
   */
  | {
      readonly kind: 'refused';
      readonly because: 'spaced' | 'capped' | 'blocked_today' | 'quarantined';
      readonly until: Date;
    };

/**
 * Writes the intent to charge: `prepared → sent`, one statement. It locks the subscription, then the invoice, and
 * re-checks both, the kill switch, the largest amount, the card's cap and today's block of it, the fence and the lease, and that no capture of the invoice is known that nobody
 * accounted for yet; what is asked of the gateway is frozen here.
 * Only an acknowledged `sent` may be followed by a POST. If this throws, nothing may be sent: the row may say `sent`.
 */
export async function writeIntent(db: Db, attempt: LeasedAttempt, limits: IntentLimits): Promise<Intent> {
  const max = limits.maxAmountMinor;
  const cap = attempt.policy.perCard ?? NO_CAP;
  const [row] = await db.$queryRaw<Row[]>`
    WITH s AS MATERIALIZED (
      SELECT id, status, billing_key_id, customer_id, plan FROM subscription WHERE id = ${attempt.subscription.id}::uuid FOR SHARE
    ), i AS MATERIALIZED (
      SELECT invoice.* FROM invoice JOIN s ON s.id = invoice.subscription_id
       WHERE invoice.id = ${attempt.invoiceId}::uuid FOR NO KEY UPDATE OF invoice
    ), payer AS MATERIALIZED (
      -- Of one customer's missed periods one is charged a day, however many workers have them in hand.
      SELECT customer.id, customer.caught_up_at + interval '24 hours' AS spaced_until
        FROM customer JOIN s ON s.customer_id = customer.id JOIN i ON i.spaced FOR NO KEY UPDATE OF customer
    ), card AS MATERIALIZED (
      -- Locked, so that of two sends on one card the second counts the first, and none is sent on another than was leased for.
      SELECT billing_key.id, billing_key.hold_reason, billing_key.customer_uid, billing_key.registration FROM billing_key JOIN i ON true
       WHERE billing_key.id = ${attempt.billingKey.id}::uuid FOR NO KEY UPDATE OF billing_key
    ), cap AS MATERIALIZED (
      SELECT maedal_capped_until(card.id, ${cap.declines}::integer, ${cap.days}::integer, ${attempt.id}::uuid) AS capped_until,
             maedal_blocked_until(card.id) AS blocked_until FROM card
    ), c AS MATERIALIZED (
      -- Locked after the rows that may have to be waited for: what is switched off meanwhile is off.
      SELECT control.* FROM control JOIN i ON true FOR SHARE OF control
    ), standing AS (
      SELECT i.*, s.status AS subscription_status, c.sending_enabled, c.adopted_at IS NOT NULL AS adopted,
             coalesce(c.fingerprint = ${limits.fingerprint}, false) AS is_ours,
             ${max}::bigint IS NOT NULL AND i.amount > ${max}::bigint AS over_max_amount, s.billing_key_id,
             i.amount > greatest(coalesce(i.price, i.amount), (${JSON.stringify(limits.ceilings ?? {})}::jsonb ->> (s.plan || ' ' || i.currency))::bigint) AS over_ceiling,
             (SELECT max(maedal_unanswered_at(x)) + make_interval(secs => ${limits.quarantineSeconds}) FROM attempt x
               WHERE x.invoice_id = i.id AND x.id <> ${attempt.id}::uuid) AS quarantined_until,
             EXISTS (SELECT FROM attempt x JOIN observation o ON o.merchant_uid = x.merchant_uid
                      WHERE x.invoice_id = i.id AND o.status IN ('paid', 'cancelled') AND o.account_at IS NOT NULL) AS captured,
             (SELECT hold_reason FROM card) AS key_held_for, (SELECT capped_until FROM cap) AS capped_until,
             (SELECT blocked_until FROM cap) AS blocked_until, payer.id AS payer_id, payer.spaced_until
        FROM i JOIN s ON s.id = i.subscription_id CROSS JOIN c LEFT JOIN payer ON true
    ), sent AS (
      UPDATE attempt SET state = 'sent', send_count = send_count + 1, sent_at = maedal_now(), updated_at = maedal_now(),
             not_found_count = 0, fail_reason = NULL, unsettled_since = NULL,
             first_sent_at = coalesce(attempt.first_sent_at, maedal_now()),
             lease_until = maedal_now() + make_interval(secs => ${limits.timeoutSeconds + LEASE_MARGIN_SECONDS}),
             billing_key_id = coalesce(attempt.billing_key_id, k.id), customer_uid = coalesce(attempt.customer_uid, k.customer_uid), registration = k.registration,
             amount = coalesce(attempt.amount, standing.amount), currency = coalesce(attempt.currency, standing.currency),
             tax_free = coalesce(attempt.tax_free, standing.tax_free), name = coalesce(attempt.name, standing.name),
             vat = CASE WHEN attempt.send_count > 0 THEN attempt.vat ELSE standing.vat END,
             custom_data = CASE WHEN attempt.send_count > 0 THEN attempt.custom_data ELSE standing.custom_data END
        FROM standing, card k
       WHERE attempt.id = ${attempt.id}::uuid AND attempt.fence = ${attempt.fence} AND attempt.state = 'prepared'
         AND attempt.lease_until > maedal_now() AND attempt.invoice_id = standing.id
         AND (attempt.billing_key_id IS NOT NULL OR k.id = standing.billing_key_id) AND k.registration = ${attempt.billingKey.registration}
         AND standing.amount = ${attempt.amount.minor}::bigint AND standing.currency = ${attempt.amount.currency}
         AND standing.state IN ('open', 'retrying') AND standing.subscription_status IN ('trialing', 'active', 'past_due')
         AND standing.sending_enabled AND standing.is_ours AND (standing.adopted OR NOT ${limits.needsAdoption})
         AND NOT standing.over_max_amount AND NOT standing.over_ceiling AND k.hold_reason IS NULL AND (standing.spaced_until IS NULL OR standing.spaced_until <= maedal_now() OR attempt.send_count > 0)
         AND NOT standing.captured AND standing.capped_until IS NULL AND standing.blocked_until IS NULL
         AND (attempt.send_count > 0 OR NOT coalesce(standing.quarantined_until > maedal_now(), false))
      RETURNING standing.payer_id, attempt.invoice_id, attempt.send_count - attempt.not_sent_count AS sends, attempt.sent_at, attempt.lease_until
    ), put_off AS (
      UPDATE invoice SET next_at = sent.lease_until, last_attempt_at = sent.sent_at FROM sent WHERE invoice.id = sent.invoice_id
    ), caught_up AS (
      UPDATE customer SET caught_up_at = sent.sent_at FROM sent WHERE customer.id = sent.payer_id
    )
    SELECT standing.subscription_status, standing.sending_enabled, standing.adopted, standing.is_ours,
           standing.over_max_amount, standing.over_ceiling, standing.key_held_for, standing.captured, standing.capped_until, standing.blocked_until,
           CASE WHEN standing.quarantined_until > maedal_now() THEN standing.quarantined_until END AS quarantined_until, sent.sends, sent.sent_at,
           CASE WHEN standing.spaced_until > maedal_now() THEN standing.spaced_until END AS spaced_until
      FROM standing LEFT JOIN sent ON true`;
  return verdict(row, limits);
}

/**
 * Takes back an intent that the gateway provably did not act on (401), within the same lease: `sent → prepared`.
 * Returns the attempt as it stands then, or null when the lease was lost.
 */
export async function takeBackIntent(
  db: Db,
  attempt: LeasedAttempt,
  leaseSeconds: number,
  reason: string,
): Promise<LeasedAttempt | null> {
  const taken = await db.$executeRaw`
    UPDATE attempt SET state = 'prepared', not_sent_count = not_sent_count + 1, fail_reason = ${reason}, updated_at = maedal_now(),
           lease_until = maedal_now() + make_interval(secs => ${leaseSeconds})
     WHERE id = ${attempt.id}::uuid AND fence = ${attempt.fence} AND state = 'sent' AND lease_until > maedal_now()`;
  return taken === 1 ? { ...attempt, notSentCount: attempt.notSentCount + 1 } : null;
}

function verdict(row: Row | undefined, limits: IntentLimits): Intent {
  if (row === undefined) return { kind: 'refused', because: 'lost' };
  if (row.sends !== null && row.sent_at !== null) return { kind: 'sent', sends: row.sends, sentAt: row.sent_at };
  if (row.subscription_status === 'canceled') return { kind: 'refused', because: 'subscription_canceled' };
  if (!LIVE.has(row.subscription_status)) return { kind: 'refused', because: 'subscription_stopped' };
  if (row.over_max_amount) return { kind: 'refused', because: 'over_max_amount' };
  if (row.over_ceiling) return { kind: 'refused', because: 'over_ceiling' };
  if (limits.needsAdoption && !row.adopted) return { kind: 'refused', because: 'not_adopted' };
  if (!row.is_ours) return { kind: 'refused', because: 'foreign_database' };
  if (!row.sending_enabled) return { kind: 'refused', because: 'switched_off' };
  if (row.spaced_until !== null) return { kind: 'refused', because: 'spaced', until: row.spaced_until };
  if (row.key_held_for !== null) return { kind: 'refused', because: 'billing_key_held', reason: row.key_held_for };
  const barred = barredUntil(row);
  if (barred !== null) return { kind: 'refused', ...barred };
  if (row.quarantined_until !== null) return { kind: 'refused', because: 'quarantined', until: row.quarantined_until };
  if (row.captured) return { kind: 'refused', because: 'captured' };
  return { kind: 'refused', because: 'lost' };
}

/** Until when its card may not be charged, and for which of two reasons: the one that ends later. */
function barredUntil({ capped_until: capped, blocked_until: blocked }: Row) {
  const isBlocked = blocked !== null && (capped === null || blocked >= capped);
  if (isBlocked) return { because: 'blocked_today', until: blocked } as const;
  return capped === null ? null : ({ because: 'capped', until: capped } as const);
}

const LEASE_MARGIN_SECONDS = 30;
/** More than any card is declined. */
const NO_CAP = { declines: 1_000_000, days: 1 };
const LIVE: ReadonlySet<string> = new Set(['trialing', 'active', 'past_due']);

type Row = {
  subscription_status: string;
  sending_enabled: boolean;
  adopted: boolean;
  is_ours: boolean;
  over_max_amount: boolean;
  over_ceiling: boolean;
  key_held_for: string | null;
  captured: boolean;
  capped_until: Date | null;
  blocked_until: Date | null;
  quarantined_until: Date | null;
  sends: number | null;
  spaced_until: Date | null;
  sent_at: Date | null;
};
