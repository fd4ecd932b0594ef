import type { AttemptState } from '../billing/attempt.ts';
import type { InvoiceId } from '../billing/ids.ts';
import type { Money } from '../billing/money.ts';
import type { Db } from './db.ts';

/** The attempt that a `merchant_uid` names, with its invoice; null when it is none of ours. */
export async function attemptOf(
  db: Db,
  merchantUid: string,
): Promise<{ readonly invoiceId: InvoiceId; readonly state: AttemptState } | null> {
  const [row] = await db.$queryRaw<{ invoiceId: InvoiceId; state: AttemptState }[]>`
    SELECT invoice_id::text AS "invoiceId", state FROM attempt WHERE merchant_uid = ${merchantUid}`;
  return row ?? null;
}

/** How a payment was accounted for: an invoice counts as paid by it already, it waits for a person or is one too many, or neither. */
export async function accountedAs(db: Db, impUid: string): Promise<'settles' | 'review' | 'refund' | null> {
  const row = await db.observation.findUnique({ where: { imp_uid: impUid }, select: { accounted_as: true } });
  const as = row?.accounted_as;
  return as === 'settles' || as === 'review' || as === 'refund' ? as : null;
}

/** What an invoice asks for; null when there is no such invoice. */
export async function invoiceAsked(db: Db, id: InvoiceId): Promise<Money | null> {
  const [row] = await db.$queryRaw<Money[]>`
    SELECT amount::float8 AS minor, currency FROM invoice WHERE id = ${id}::uuid`;
  return row ?? null;
}
