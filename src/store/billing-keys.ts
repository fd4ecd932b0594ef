import type { BillingKeyAnswer } from '../billing/charge.ts';
import type { Db } from './db.ts';

/** Writes down what the gateway says of a billing key, so that it is asked once and not before every charge. */
export async function rememberBillingKey(
  db: Db,
  id: string,
  facts: Extract<BillingKeyAnswer, { kind: 'found' }>,
): Promise<void> {
  await db.$executeRaw`
    UPDATE billing_key SET sandbox = ${facts.sandbox}, verified_at = maedal_now(), pg_provider = ${facts.pgProvider},
           card_name = ${facts.cardName}, card_number_masked = ${facts.cardNumberMasked}
     WHERE id = ${id}::uuid`;
}
