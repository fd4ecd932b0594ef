import type { BillingKeyAnswer } from '../billing/charge.ts';
import type { Db } from './db.ts';
import type { LeasedAttempt } from './lease.ts';

/** Writes down what the gateway says of the card that a billing key has now, so that it is asked once and not before every charge. */
export async function rememberBillingKey(
  db: Db,
  { id, registration }: Pick<LeasedAttempt['billingKey'], 'id' | 'registration'>,
  facts: Extract<BillingKeyAnswer, { kind: 'found' }>,
): Promise<void> {
  await db.$executeRaw`
    UPDATE billing_key SET sandbox = ${facts.sandbox}, verified_at = maedal_now(), pg_provider = ${facts.pgProvider},
           card_name = ${facts.cardName}, card_number_masked = ${facts.cardNumberMasked}
     WHERE id = ${id}::uuid AND registration = ${registration}`;
}

/** Those of these cards that are ours. */
export async function ownKeys(db: Db, customerUids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await db.billing_key.findMany({
    where: { customer_uid: { in: [...customerUids] } },
    select: { customer_uid: true },
  });
  return new Set(rows.map(({ customer_uid }) => customer_uid));
}

/** Whether the schedules of all cards were listed within a day, and since this card came: what has some is held. */
export async function schedulesListed(db: Db, { id }: Pick<LeasedAttempt['billingKey'], 'id'>): Promise<boolean> {
  const [row] = await db.$queryRaw<{ listed: boolean }[]>`
    SELECT EXISTS (
      SELECT FROM control JOIN billing_key k ON k.id = ${id}::uuid
       WHERE schedules_read_at > maedal_now() - interval '1 day' AND schedules_read_at > k.created_at + ${CAME_AROUND}::interval) AS listed`;
  return row?.listed === true;
}

/** An import may have begun this long before its cards are seen. */
export const CAME_AROUND = '5 minutes';

/** A card that the gateway is going to charge by itself, and why nothing is sent on it meanwhile. */
export type BookedKey = { readonly customerUid: string; readonly reason: string };

/** Holds the sending on these cards, and on no others any more. Returns those that were not held before. */
export async function holdBookedKeys(db: Db, booked: readonly BookedKey[]): Promise<string[]> {
  const rows = await db.$queryRaw<{ customer_uid: string; was_held: boolean }[]>`
    WITH booked AS (
      SELECT DISTINCT ON ("customerUid") * FROM jsonb_to_recordset(${JSON.stringify(booked)}::jsonb) AS b ("customerUid" text, reason text)
    ), before AS MATERIALIZED (
      SELECT id, customer_uid, hold_reason FROM billing_key
       WHERE hold_reason IS NOT NULL OR customer_uid IN (SELECT "customerUid" FROM booked) FOR NO KEY UPDATE
    )
    UPDATE billing_key SET hold_reason = booked.reason
      FROM before LEFT JOIN booked ON booked."customerUid" = before.customer_uid
     WHERE billing_key.id = before.id AND before.hold_reason IS DISTINCT FROM booked.reason
    RETURNING billing_key.customer_uid, before.hold_reason IS NOT NULL OR booked.reason IS NULL AS was_held`;
  return rows.filter(({ was_held }) => !was_held).map(({ customer_uid }) => customer_uid);
}
