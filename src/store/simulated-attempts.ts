import type { AttemptState } from '../billing/attempt.ts';
import type { Db } from './db.ts';

/** An attempt that fell due in a throw-away database, or a period of it for which none was made (`number` null). */
export type SimulatedAttempt = {
  readonly subscription: string;
  readonly subscriptionStatus: string;
  readonly periodKey: string;
  readonly periodStart: Date;
  readonly periodEnd: Date;
  readonly invoiceState: string;
  readonly invoiceReason: string | null;
  readonly invoiceNextAt: Date | null;
  readonly invoicePaidAt: Date | null;
  readonly dueAt: Date;
  readonly number: number | null;
  readonly merchantUid: string | null;
  readonly state: AttemptState | null;
  /** It was on its way already when the database was copied. */
  readonly wasSent: boolean;
  readonly declineClass: string | null;
  /** Of the attempt before it. */
  readonly declinedBefore: string | null;
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly attemptDueAt: Date | null;
  /** When the attempt after it was due; null where there is none. */
  readonly followedAt: Date | null;
};

/**
 * All that were due before `until`, in that order; those due together by the merchant's own ids. Periods without an
 * attempt only where they were drawn up since `from`.
 */
export async function readSimulatedAttempts(
  db: Db,
  { from, until }: { readonly from: Date; readonly until: Date },
): Promise<SimulatedAttempt[]> {
  return db.$queryRaw<SimulatedAttempt[]>`
    SELECT s.external_id AS subscription, s.status AS "subscriptionStatus", i.period_key AS "periodKey", i.period_start AS "periodStart", i.period_end AS "periodEnd",
           i.state AS "invoiceState", i.reason AS "invoiceReason", i.next_at AS "invoiceNextAt", i.paid_at AS "invoicePaidAt",
           i.due_at AS "dueAt", a.number, a.merchant_uid AS "merchantUid", a.state, a.decline_class AS "declineClass",
           coalesce(a.created_at < ${from} AND coalesce((SELECT h.from_state FROM history h WHERE h.entity_id = a.id ORDER BY h.id LIMIT 1),
                                                        a.state) IN ('sent', 'unknown'), false) AS "wasSent",
           coalesce(a.amount, i.amount)::float8 AS amount, coalesce(a.currency, i.currency) AS currency,
           (SELECT p.decline_class FROM attempt p WHERE p.invoice_id = i.id AND p.number = a.number - 1) AS "declinedBefore",
           d.due_at AS "attemptDueAt", lead(d.due_at) OVER (PARTITION BY i.id ORDER BY a.number) AS "followedAt"
      FROM invoice i JOIN subscription s ON s.id = i.subscription_id
      LEFT JOIN (attempt a JOIN simulated_due d ON d.attempt_id = a.id) ON a.invoice_id = i.id
     WHERE (a.id IS NOT NULL OR i.created_at >= ${from}) AND coalesce(d.due_at, i.due_at) < ${until}
     ORDER BY coalesce(d.due_at, i.due_at), s.external_id COLLATE "C", i.period_key, a.number`;
}
