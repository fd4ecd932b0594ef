import type { Said } from './control.ts';
import type { Db } from './db.ts';
import { Prisma } from './prisma/client.ts';

/** Something that stopped the sending, or would have, had it not been off already. Numbered as they came. */
export type SendingAlarm = {
  readonly number: number;
  readonly cause: 'unknown_capture' | 'clock_step';
  readonly reason: string;
  readonly raisedAt: Date;
};

/** Those that no person has taken for settled so far, the oldest first. */
export async function standingAlarms(db: Db): Promise<SendingAlarm[]> {
  return db.$queryRaw<SendingAlarm[]>`
    SELECT number, cause, reason, raised_at AS "raisedAt" FROM sending_alarm
     WHERE number > (SELECT acknowledged_alarm FROM control) ORDER BY number`;
}

/** A capture that an audit found, and no attempt of ours has. */
export type UnknownCapture = { readonly impUid: string; readonly reason: string };

/**
 * Stops the sending for captures that this database does not know, and keeps each as an alarm. Where sending is off for
 * another reason, `reason` is added to that one. Returns whether it was stopped, or a reason was added.
 */
export async function raiseUnknownCaptures(
  db: Db,
  captures: readonly UnknownCapture[],
  { actor, reason }: Said,
): Promise<boolean> {
  const found = JSON.stringify(captures.map((capture) => ({ subject: capture.impUid, reason: capture.reason })));
  const [row] = await db.$queryRaw<{ news: number }[]>`
    WITH c AS MATERIALIZED (
      SELECT last_alarm, acknowledged_alarm, sending_enabled FROM control FOR NO KEY UPDATE
    ), raised AS (
      INSERT INTO sending_alarm (number, cause, subject, reason)
      SELECT c.last_alarm + row_number() OVER (ORDER BY r.subject), 'unknown_capture', r.subject, r.reason
        FROM c, jsonb_to_recordset(${found}::jsonb) AS r (subject text, reason text)
      ON CONFLICT (cause, subject) DO NOTHING RETURNING number
    ), news AS MATERIALIZED (
      -- Others of their kind tell nothing new of the switch.
      SELECT ${reason}::text AS reason FROM c WHERE c.sending_enabled OR (EXISTS (SELECT FROM raised) AND NOT EXISTS (
        SELECT FROM sending_alarm a WHERE a.cause = 'unknown_capture' AND a.number > c.acknowledged_alarm))
    ), ${stoppedBy(actor)}
    SELECT count(*)::integer AS news FROM news`;
  return row?.news === 1;
}

/**
 * Remembers the latest instant that the database's clock has shown, and stops the sending where it stands more than
 * `toleranceSeconds` behind that (protocol §2.9, P4): everything that is due, leased or quarantined is judged by it.
 * Returns how many seconds it stepped back, or null; one step is one alarm, also where sending is off already.
 */
export async function watchClock(db: Db, toleranceSeconds: number): Promise<{ readonly behindSeconds: number } | null> {
  const [row] = await db.$queryRaw<{ behind: number }[]>`
    WITH c AS MATERIALIZED (
      SELECT maedal_now() AS now, greatest(0, extract(epoch FROM latest_at - maedal_now()))::float8 AS behind, latest_at, last_alarm, sending_enabled
        FROM control FOR NO KEY UPDATE
    ), judged AS MATERIALIZED (
      SELECT c.*, 'the database''s clock stepped back by ' || round(behind) || ' s' AS reason FROM c
       WHERE coalesce(behind, 0) > ${toleranceSeconds}::float8
    ), raised AS (
      INSERT INTO sending_alarm (number, cause, subject, reason) SELECT last_alarm + 1, 'clock_step', latest_at::text, reason FROM judged
      ON CONFLICT (cause, subject) DO NOTHING RETURNING number
    ), news AS MATERIALIZED (
      SELECT * FROM judged WHERE sending_enabled OR EXISTS (SELECT FROM raised)
    ), seen AS (
      UPDATE control SET latest_at = c.now FROM c WHERE control.latest_at IS NULL OR control.latest_at < c.now
    ), ${stoppedBy('maedal/clock')}
    SELECT round(behind)::float8 AS behind FROM news`;
  return row === undefined ? null : { behindSeconds: row.behind };
}

/** What letting charges go came to. `refused`: alarms stand beyond those that were named. */
export type Resumed =
  | { readonly kind: 'resumed'; readonly acknowledged: readonly SendingAlarm[] }
  | { readonly kind: 'refused'; readonly standing: readonly SendingAlarm[] };

/**
 * Lets charges leave again; the next audit is made at once. Every alarm that stands must be taken for settled, by the
 * number of the last one: whoever names none, or an earlier one, has not seen all. A clock step that is taken for settled
 * has the database's clock taken for right. What was due by then is looked up before it is charged, unless it was a person alone
 * who stopped them: then nobody doubted these books.
 */
export async function resumeSending(
  db: Db,
  { actor, reason }: Said,
  acknowledging: number | null = null,
): Promise<Resumed> {
  const seen = await standingAlarms(db);
  const resumed = await db.$executeRaw`
    WITH c AS MATERIALIZED (
      SELECT last_alarm, acknowledged_alarm FROM control FOR NO KEY UPDATE
    ), settled AS MATERIALIZED (
      SELECT a.* FROM sending_alarm a JOIN c ON a.number > c.acknowledged_alarm AND a.number <= c.last_alarm
    ), resumed AS (
      UPDATE control SET sending_enabled = true, sending_reason = ${reason}, sending_changed_by = ${actor},
             acknowledged_at = CASE WHEN NOT EXISTS (SELECT FROM settled)
                                     AND (control.sending_enabled OR control.sending_changed_by NOT LIKE '%maedal/%')
                                    THEN acknowledged_at ELSE maedal_now() END,
             acknowledged_alarm = c.last_alarm, audit_begun_at = NULL, updated_at = maedal_now(),
             latest_at = CASE WHEN EXISTS (SELECT FROM settled WHERE cause = 'clock_step') THEN maedal_now() ELSE latest_at END
        FROM c WHERE c.last_alarm = c.acknowledged_alarm OR c.last_alarm = ${acknowledging}::integer
      RETURNING control.id
    ), told AS (
      INSERT INTO outbox (kind, payload, next_at)
      SELECT 'sending.resumed', jsonb_build_object('reason', ${reason}::text, 'by', ${actor}::text), maedal_now() FROM resumed
    )
    INSERT INTO audit (actor, action, reason, details)
    SELECT ${actor}, 'sending.on', ${reason}, jsonb_build_object('acknowledged',
             (SELECT coalesce(jsonb_agg(jsonb_build_object('number', number, 'cause', cause, 'subject', subject) ORDER BY number), '[]') FROM settled))
      FROM resumed`;
  if (resumed === 0) return { kind: 'refused', standing: await standingAlarms(db) };
  return { kind: 'resumed', acknowledged: seen };
}

/**
 * What stops the sending for `news`, counts what was `raised` and tells of it. A reason for which it is off already stays,
 * and so does who gave it.
 */
function stoppedBy(actor: string): Prisma.Sql {
  return Prisma.sql`stopped AS (
      UPDATE control SET sending_enabled = false, last_alarm = greatest(control.last_alarm, why.number), updated_at = maedal_now(),
             sending_reason = CASE WHEN control.sending_enabled THEN why.reason ELSE concat_ws('; ', sending_reason, why.reason) END,
             sending_changed_by = CASE WHEN control.sending_enabled THEN ${actor}::text
                                       WHEN why.reason IS NULL OR sending_changed_by LIKE '%' || ${actor}::text THEN sending_changed_by
                                       ELSE concat_ws(', ', sending_changed_by, ${actor}::text) END
        FROM (SELECT (SELECT reason FROM news) AS reason, (SELECT max(number) FROM raised) AS number) why
       WHERE why.reason IS NOT NULL OR why.number IS NOT NULL
    ), written AS (
      INSERT INTO audit (actor, action, reason) SELECT ${actor}, 'sending.off', reason FROM news
    ), told AS (
      INSERT INTO outbox (kind, payload, next_at)
      SELECT 'sending.stopped', jsonb_build_object('reason', reason, 'by', ${actor}::text), maedal_now() FROM news
    )`;
}
