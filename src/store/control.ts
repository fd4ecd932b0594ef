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

/**
 * Remembers the latest instant that the database's clock has shown, and stops the sending where it stands more than
 * `toleranceSeconds` behind that (protocol §2.9, P4): everything that is due, leased or quarantined is judged by it.
 * Returns how many seconds it stepped back, or null; the sending is stopped once.
 */
export async function watchClock(db: Db, toleranceSeconds: number): Promise<{ readonly behindSeconds: number } | null> {
  const [row] = await db.$queryRaw<{ behind: number }[]>`
    WITH clock AS MATERIALIZED (
      SELECT maedal_now() AS now, greatest(0, extract(epoch FROM latest_at - maedal_now()))::float8 AS behind, sending_enabled
        FROM control FOR NO KEY UPDATE
    ), judged AS MATERIALIZED (
      SELECT now, coalesce(behind, 0) AS behind, sending_enabled AND coalesce(behind, 0) > ${toleranceSeconds}::float8 AS stops,
             'the database''s clock stepped back by ' || round(behind) || ' s' AS reason FROM clock
    ), seen AS (
      UPDATE control SET latest_at = greatest(latest_at, judged.now), sending_enabled = control.sending_enabled AND NOT judged.stops,
             sending_reason = CASE WHEN judged.stops THEN judged.reason ELSE sending_reason END,
             sending_changed_by = CASE WHEN judged.stops THEN 'maedal/clock' ELSE sending_changed_by END
        FROM judged
    ), written AS (
      INSERT INTO audit (actor, action, reason) SELECT 'maedal/clock', 'sending.off', reason FROM judged WHERE stops
    ), told AS (
      INSERT INTO outbox (kind, payload, next_at)
      SELECT 'sending.stopped', jsonb_build_object('reason', reason, 'by', 'maedal/clock'), maedal_now() FROM judged WHERE stops
    )
    SELECT round(behind)::float8 AS behind FROM judged WHERE stops`;
  return row === undefined ? null : { behindSeconds: row.behind };
}

/** Whether charges may leave, and who last said so. */
export type Sending = { readonly enabled: boolean; readonly reason: string | null; readonly changedBy: string | null };

/** Reads the kill switch. */
export async function readSending(db: Db): Promise<Sending> {
  const row = await db.control.findUniqueOrThrow({ where: { id: 1 } });
  return { enabled: row.sending_enabled, reason: row.sending_reason, changedBy: row.sending_changed_by };
}

/**
 * Lets charges leave again. A person who says so has looked at the unknown captures that audits found until now, and
 * takes the database's clock for right; the next audit is made at once.
 */
export async function resumeSending(db: Db, { actor, reason }: Said): Promise<void> {
  await db.$executeRaw`
    WITH resumed AS (
      UPDATE control SET sending_enabled = true, sending_reason = ${reason}, sending_changed_by = ${actor}, acknowledged_at = maedal_now(),
             latest_at = maedal_now(), audit_begun_at = NULL, updated_at = maedal_now() RETURNING id
    ), told AS (
      INSERT INTO outbox (kind, payload, next_at)
      SELECT 'sending.resumed', jsonb_build_object('reason', ${reason}::text, 'by', ${actor}::text), maedal_now() FROM resumed
    )
    INSERT INTO audit (actor, action, reason) SELECT ${actor}, 'sending.on', ${reason} FROM resumed`;
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
