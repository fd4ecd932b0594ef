import type { InvoiceId } from '../billing/ids.ts';
import { STOPPED } from '../billing/invoice.ts';
import type { Db } from './db.ts';
import { Prisma } from './prisma/client.ts';
import type { SubscriptionFound } from './subscription-orders.ts';

/** An invoice that a card which was given may pay. */
export type Payable = { readonly id: InvoiceId; readonly state: string; readonly subscription: string };

/**
 * Invoices of a subscription that the card which it was given may pay: declined ones, those held for what was wrong with the
 * card, and those that wait for what was given up. Each once: what was tried or ordered since is left to its ladder.
 */
export async function payableByCard(db: Db, { id }: Pick<SubscriptionFound, 'id'>): Promise<Payable[]> {
  return db.$queryRaw<Payable[]>`${PAYABLE} AND s.id = ${id}::uuid ORDER BY i.due_at, i.id`;
}

/**
 * Up to `limit` of the same of every subscription, no charge of theirs under way: what could not be charged at once when
 * the card was given. A card that nothing waits for any more is forgotten.
 */
export async function payableByGivenCards(db: Db, limit: number): Promise<Payable[]> {
  return db.$queryRaw<Payable[]>`
    WITH forgotten AS (
      UPDATE billing_key k SET given_at = NULL WHERE given_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM subscription s JOIN invoice i ON i.subscription_id = s.id
         WHERE s.customer_id = k.customer_id AND s.billing_key_id = k.id AND s.status <> 'canceled' AND ${UNTRIED}
           AND (${OWED} OR (i.state = 'open' AND ${UNDER_WAY})))
    )
    ${PAYABLE} AND NOT ${UNDER_WAY} ORDER BY i.due_at, i.id LIMIT ${limit}`;
}

const OF_THE_CARD = ['billing_key_unknown', 'billing_key_kind_unknown', 'live_key_in_test', 'test_key_in_live'];

/** Whether the invoice `i` is one that another card may pay. */
const OWED = Prisma.sql`(i.state = 'retrying' OR (i.state = 'uncollectible' AND NOT i.written_off)
       OR (i.state = 'held' AND (i.reason = ANY(${OF_THE_CARD}::text[]) OR (i.reason = ${STOPPED} AND i.failures > 0))))`;

/** Whether it was neither sent on the card `k` since that was given nor let go by anybody. */
const UNTRIED = Prisma.sql`NOT EXISTS (SELECT FROM attempt a WHERE a.invoice_id = i.id AND a.billing_key_id = k.id
                          AND a.registration = k.registration AND a.send_count > 0)
       AND NOT EXISTS (SELECT FROM audit o WHERE o.subject = i.id::text AND o.action IN ('invoice.retried', 'invoice.released') AND o.at >= k.given_at)`;

/** Whether a charge of it is on its way, or with a worker. */
const UNDER_WAY = Prisma.sql`EXISTS (SELECT FROM attempt a WHERE a.invoice_id = i.id
       AND (a.state IN ('sent', 'unknown', 'paid', 'review') OR a.lease_until > maedal_now()))`;

const PAYABLE = Prisma.sql`
    SELECT i.id::text, i.state, s.external_id AS subscription FROM billing_key k
      JOIN subscription s ON s.customer_id = k.customer_id AND s.billing_key_id = k.id AND s.status NOT IN ('paused', 'canceled')
      JOIN invoice i ON i.subscription_id = s.id
     WHERE k.given_at IS NOT NULL AND ${OWED} AND ${UNTRIED}`;
