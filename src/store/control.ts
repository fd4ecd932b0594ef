import type { DateTime } from 'luxon';
import type { Db } from './db.ts';
import type { Identity } from './fence.ts';
import { instantOrNull } from './instant.ts';

/**
 * Stops the sending: from the next intent on nothing leaves (the switch is read inside that statement). Returns false
 * when it was stopped before; then the reason of that time stands.
 */
export async function stopSending(db: Db, { actor, reason }: Said): Promise<boolean> {
  const [row] = await db.$queryRaw<{ stopped: number }[]>`
    WITH stopped AS (
      UPDATE control SET sending_enabled = false, sending_reason = ${reason}, sending_changed_by = ${actor}, updated_at = maedal_now()
       WHERE sending_enabled RETURNING id
    ), written AS (
      INSERT INTO audit (actor, action, reason) SELECT ${actor}, 'sending.off', ${reason} FROM stopped
    ), told AS (
      INSERT INTO outbox (kind, payload, next_at)
      SELECT 'sending.stopped', jsonb_build_object('reason', ${reason}::text, 'by', ${actor}::text), maedal_now() FROM stopped
    )
    SELECT count(*)::integer AS stopped FROM stopped`;
  return row?.stopped === 1;
}

/** Who did something, and why. */
export type Said = { readonly actor: string; readonly reason: string };

/** Whether charges may leave, and who last said so. */
export type Sending = { readonly enabled: boolean; readonly reason: string | null; readonly changedBy: string | null };

/** Reads the kill switch. */
export async function readSending(db: Db): Promise<Sending> {
  const row = await db.control.findUniqueOrThrow({ where: { id: 1 } });
  return { enabled: row.sending_enabled, reason: row.sending_reason, changedBy: row.sending_changed_by };
}

/** Makes the database this installation's, with who said so and why. First attempts are looked up until it is audited. */
export async function adoptDatabase(db: Db, { fingerprint }: Identity, { actor, reason }: Said): Promise<void> {
  await db.$executeRaw`
    WITH before AS MATERIALIZED (
      SELECT fingerprint FROM control FOR UPDATE
    ), adopted AS (
      UPDATE control SET fingerprint = ${fingerprint}, adopted_at = maedal_now(), adopted_reason = ${reason}, audited_at = NULL,
             audit_begun_at = NULL, updated_at = maedal_now()
        FROM before RETURNING before.fingerprint AS was
    )
    INSERT INTO audit (actor, action, reason, details)
    SELECT ${actor}, 'database.adopted', ${reason}, jsonb_build_object('before', was, 'after', ${fingerprint}::text)
      FROM adopted`;
}

/** What would be charged in this database now, for whoever is about to adopt it. */
export type Stakes = {
  readonly subscriptions: number;
  /** Invoices that are due, by currency, in minor units. */
  readonly due: readonly { readonly currency: string; readonly count: number; readonly minor: number }[];
  readonly fingerprint: string | null;
  readonly adoptedAt: Date | null;
  /** How far the last audit came. */
  readonly auditedUntil: DateTime | null;
};

/** Counts it by the database's clock. */
export async function readStakes(db: Db): Promise<Stakes> {
  const control = await db.control.findUniqueOrThrow({ where: { id: 1 } });
  const { fingerprint, adopted_at: adoptedAt } = control;
  const subscriptions = await db.subscription.count({ where: { status: { in: ['trialing', 'active', 'past_due'] } } });
  const due = await db.$queryRaw<{ currency: string; count: number; minor: number }[]>`
    SELECT currency, count(*)::integer AS count, sum(amount)::float8 AS minor FROM invoice
     WHERE state IN ('open', 'retrying') AND next_at <= maedal_now() GROUP BY currency ORDER BY currency`;
  return { subscriptions, due, fingerprint, adoptedAt, auditedUntil: instantOrNull(control.audited_until) };
}
