import type { InvoiceId } from '../billing/ids.ts';
import { AWAITING_CARD, STOPPED, WRITTEN_OFF } from '../billing/invoice.ts';
import type { Db } from './db.ts';
import { onceUnder } from './idempotency.ts';
import { Prisma } from './prisma/client.ts';
import type { OrderedBy, SubscriptionFound } from './subscription-orders.ts';

/** Whether a card may be a subscription's: `foreign` is another customer's. */
export async function ownerOfCard(
  db: Db,
  { id }: SubscriptionFound,
  customerUid: string,
): Promise<'nobody' | 'own' | 'foreign'> {
  const [row] = await db.$queryRaw<{ own: boolean }[]>`
    SELECT k.customer_id = s.customer_id AS own FROM subscription s, billing_key k
     WHERE s.id = ${id}::uuid AND k.customer_uid = ${customerUid}`;
  if (row === undefined) return 'nobody';
  return row.own ? 'own' : 'foreign';
}

/**
 * Gives a subscription another card, or the same `customer_uid` with another card behind it (registering one again
 * replaces it at PortOne without a word): what was known of it is asked anew before its next charge. Attempts that were
 * sent keep the card they were sent on. Done once under a key, which it marks as done. Returns false when the subscription
 * changed meanwhile, or is not ours to change.
 */
export async function changeCard(
  db: Db,
  found: SubscriptionFound,
  customerUid: string,
  by: Omit<OrderedBy, 'versions'>,
): Promise<boolean> {
  const [row] = await db.$queryRaw<{ done: number }[]>`
    WITH s AS MATERIALIZED (
      SELECT subscription.* FROM subscription JOIN control ON fingerprint = ${by.fingerprint}
       WHERE subscription.id = ${found.id}::uuid AND subscription.xmin::text = ${found.version} FOR NO KEY UPDATE OF subscription
    ), ours AS MATERIALIZED (
      SELECT s.id FROM s WHERE NOT EXISTS (SELECT FROM billing_key x WHERE x.customer_uid = ${customerUid} AND x.customer_id <> s.customer_id)
    ), once AS (
      ${onceUnder(by.under, Prisma.sql`ours`)}
    ), k AS (
      INSERT INTO billing_key (customer_id, customer_uid) SELECT s.customer_id, ${customerUid} FROM s, once
      ON CONFLICT (customer_uid) DO UPDATE SET state = 'active', sandbox = NULL, verified_at = NULL, card_name = NULL, card_number_masked = NULL
       WHERE billing_key.customer_id = excluded.customer_id
      RETURNING id
    ), moved AS (
      UPDATE subscription SET billing_key_id = k.id, updated_at = maedal_now() FROM s, k WHERE subscription.id = s.id RETURNING subscription.id
    ), unbound AS (
      -- What was made for another card of the payer's and never sent goes on the new one.
      UPDATE attempt SET billing_key_id = NULL, updated_at = maedal_now() FROM invoice, moved
       WHERE invoice.subscription_id = moved.id AND attempt.invoice_id = invoice.id AND attempt.state = 'prepared' AND attempt.send_count = 0
         AND (attempt.lease_until IS NULL OR attempt.lease_until <= maedal_now())
    ), awaited AS (
      -- What waited for another card is decided on anew, even where nothing may be charged at once.
      UPDATE invoice SET next_at = maedal_now() FROM moved
       WHERE invoice.subscription_id = moved.id AND invoice.state = 'retrying' AND invoice.reason = ${AWAITING_CARD}
    ), written AS (
      INSERT INTO audit (actor, action, subject, reason) SELECT ${by.actor}, 'subscription.card_changed', moved.id::text, ${by.reason} FROM moved
    ), told AS (
      INSERT INTO outbox (kind, subscription_id, payload, next_at)
      SELECT 'subscription.card_changed', s.id, jsonb_build_object('subscription_id', s.external_id, 'customer_uid', ${customerUid}::text),
             maedal_now() FROM s JOIN moved ON moved.id = s.id
    )
    SELECT count(*)::integer AS done FROM moved`;
  return row?.done === 1;
}

/** When a subscription was last given another card; null where it never was. */
export async function lastCardChange(db: Db, { id }: Pick<SubscriptionFound, 'id'>): Promise<Date | null> {
  const where = { subject: id, action: 'subscription.card_changed' };
  const last = await db.audit.findFirst({ where, orderBy: { id: 'desc' } });
  return last?.at ?? null;
}

/**
 * Invoices of a subscription that another card may pay: declined ones, those held for what was wrong with the card, and those
 * that wait for what was given up, unless it is paused. Of a card that was given earlier, those that were not tried since.
 */
export async function payableByCard(
  db: Db,
  { id }: SubscriptionFound,
  givenAt: Date | null,
): Promise<{ readonly id: InvoiceId; readonly state: string }[]> {
  return db.$queryRaw<{ id: InvoiceId; state: string }[]>`
    SELECT i.id::text, i.state FROM invoice i JOIN subscription s ON s.id = i.subscription_id
     WHERE s.id = ${id}::uuid AND coalesce(i.last_attempt_at < ${givenAt}::timestamptz, true)
       AND (i.state = 'retrying' OR (i.state = 'uncollectible' AND i.reason <> ${WRITTEN_OFF}) OR (i.state = 'held' AND (
         i.reason = ANY(${[...OF_THE_CARD]}::text[]) OR (i.reason = ${STOPPED} AND s.status <> 'paused' AND i.failures > 0))))
     ORDER BY i.due_at, i.id`;
}

const OF_THE_CARD = ['billing_key_unknown', 'billing_key_kind_unknown', 'live_key_in_test', 'test_key_in_live'];
