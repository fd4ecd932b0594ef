import { AWAITING_CARD } from '../billing/invoice.ts';
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

/** A card that a payer gave. `registered`: under a `customer_uid` that is known already, in the place of the one before. */
export type GivenCard = { readonly customerUid: string; readonly registered?: boolean | undefined };

/**
 * Gives a subscription another card, or the same `customer_uid` with another card behind it (registering one again
 * replaces it at PortOne without a word): what was known of it is asked anew before its next charge, and what was done on
 * the one before counts against it no more. Another card of the payer's that is known already is the one it was, unless it
 * is `registered` again: what was done on it counts. Attempts that were sent keep the card they were sent on. Done once under a key, which it marks as done. Returns false when the subscription
 * changed meanwhile, or is not ours to change.
 */
export async function changeCard(
  db: Db,
  found: SubscriptionFound,
  { customerUid, registered }: GivenCard,
  by: Omit<OrderedBy, 'versions'>,
): Promise<boolean> {
  const isAnother = Prisma.sql`(coalesce(${registered ?? null}::boolean, billing_key.id = (SELECT billing_key_id FROM s)) OR billing_key.state = 'removed')`;
  const [row] = await db.$queryRaw<{ done: number }[]>`
    WITH s AS MATERIALIZED (
      SELECT subscription.* FROM subscription JOIN control ON fingerprint = ${by.fingerprint}
       WHERE subscription.id = ${found.id}::uuid AND subscription.xmin::text = ${found.version} FOR NO KEY UPDATE OF subscription
    ), ours AS MATERIALIZED (
      SELECT s.id FROM s WHERE NOT EXISTS (SELECT FROM billing_key x WHERE x.customer_uid = ${customerUid} AND x.customer_id <> s.customer_id)
    ), once AS (
      ${onceUnder(by.under, Prisma.sql`ours`)}
    ), k AS (
      INSERT INTO billing_key (customer_id, customer_uid, given_at) SELECT s.customer_id, ${customerUid}, maedal_now() FROM s, once
      ON CONFLICT (customer_uid) DO UPDATE SET registration = billing_key.registration + ${isAnother}::integer, given_at = excluded.given_at, state = 'active',
             sandbox = CASE WHEN NOT ${isAnother} THEN billing_key.sandbox END, verified_at = CASE WHEN NOT ${isAnother} THEN billing_key.verified_at END,
             card_name = CASE WHEN NOT ${isAnother} THEN billing_key.card_name END, card_number_masked = CASE WHEN NOT ${isAnother} THEN billing_key.card_number_masked END
       WHERE billing_key.customer_id = excluded.customer_id
      RETURNING id, customer_id, preference
    ), moved AS (
      UPDATE subscription SET billing_key_id = k.id, updated_at = maedal_now() FROM s, k WHERE subscription.id = s.id RETURNING subscription.id
    ), unbound AS (
      -- What was made for another card of the payer's and never sent goes on the new one.
      UPDATE attempt SET billing_key_id = NULL, updated_at = maedal_now() FROM invoice, moved
       WHERE invoice.subscription_id = moved.id AND attempt.invoice_id = invoice.id AND attempt.state = 'prepared' AND attempt.send_count = 0
         AND (attempt.lease_until IS NULL OR attempt.lease_until <= maedal_now())
    ), awaited AS (
      -- What waited for another card, of whichever subscription of the payer's it may pay, is decided on anew, even where nothing may be charged at once.
      UPDATE invoice SET next_at = maedal_now() FROM moved, k, subscription own
       WHERE own.customer_id = k.customer_id AND (own.id = moved.id OR own.billing_key_id = k.id OR k.preference > 0)
         AND invoice.subscription_id = own.id AND invoice.state = 'retrying' AND invoice.reason = ${AWAITING_CARD}
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
