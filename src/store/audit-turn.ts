import type { DateTime } from 'luxon';
import { CAME_AROUND } from './billing-keys.ts';
import type { Db } from './db.ts';
import { instant, instantOrNull } from './instant.ts';
import { Prisma } from './prisma/client.ts';

/** One scheduler's turn at the audit: while it lasts, nobody else begins one. */
export type AuditTurn = {
  readonly fence: number;
  readonly begunAt: DateTime;
  /** How far the last audit came that ended. */
  readonly auditedUntil: DateTime | null;
  /** The life that the database leads (`maedal_incarnation`). */
  readonly incarnation: string;
};

/**
 * Takes the turn where an audit is due: none ended that began since `since` or within `everyHours`, or the last one
 * looked at another incarnation of the database. Null when none is due, or somebody has the turn.
 */
export async function takeAuditTurn(
  db: Db,
  due: { readonly since: DateTime; readonly everyHours: number },
  leaseSeconds: number,
): Promise<AuditTurn | null> {
  const [row] = await db.$queryRaw<Row[]>`
    UPDATE control SET audit_fence = audit_fence + 1, audit_lease_until = maedal_now() + make_interval(secs => ${leaseSeconds})
     WHERE (audit_lease_until IS NULL OR audit_lease_until <= maedal_now())
       AND (audit_begun_at IS NULL OR audit_begun_at < ${due.since.toJSDate()}
            OR audit_begun_at <= maedal_now() - make_interval(hours => ${due.everyHours})
            OR audited_in IS DISTINCT FROM maedal_incarnation())
    RETURNING audit_fence AS fence, maedal_now() AS begun_at, audited_until, maedal_incarnation() AS incarnation`;
  if (row === undefined) return null;
  const { fence, begun_at: begunAt, audited_until: until, incarnation } = row;
  return { fence, begunAt: instant(begunAt), auditedUntil: instantOrNull(until), incarnation };
}

/** Keeps the turn for `seconds` from now; after a failure, keeps everybody from trying again until then. */
export async function keepAuditTurn(db: Db, { fence }: AuditTurn, seconds: number): Promise<void> {
  await db.$executeRaw`
    UPDATE control SET audit_lease_until = maedal_now() + make_interval(secs => ${seconds}) WHERE audit_fence = ${fence}`;
}

/** What an audit comes to, for its row. */
export type AuditResult = {
  readonly actor: string;
  readonly until: DateTime;
  /** Whether this window holds nothing unknown; what an earlier one found must be settled as well. */
  readonly isClean: boolean;
  /** Why the gateway's schedules could not be listed; null where they were, or were not asked for. */
  readonly schedulesUnclear: string | null;
  readonly details: Readonly<Record<string, unknown>>;
};

/**
 * Writes an audit down, and with its turn, ends it: first attempts then go without a look-up. It does not pass while an
 * unknown capture is neither an attempt's by now nor acknowledged by a person. Returns whether it passed.
 */
export async function recordAudit(db: Db, result: AuditResult, turn: AuditTurn | null): Promise<boolean> {
  const { fence = null, begunAt = null, incarnation = null } = turn ?? {};
  const [row] = await db.$queryRaw<{ passed: boolean }[]>`
    WITH standing AS MATERIALIZED (
      SELECT ${result.isClean} AND NOT EXISTS (
               SELECT FROM observation o WHERE o.account_at IS NOT NULL AND o.learnt_by = 'audit'
                  AND o.first_seen_at > coalesce(c.acknowledged_at, '-infinity')
                  AND NOT EXISTS (SELECT FROM sending_alarm w WHERE w.cause = 'unknown_capture' AND w.subject = o.imp_uid AND w.number <= c.acknowledged_alarm)
                  AND NOT EXISTS (SELECT FROM attempt a WHERE a.merchant_uid = o.merchant_uid)) AS passed
        FROM control c
    ), written AS (
      INSERT INTO audit (actor, action, details)
      SELECT ${result.actor}, 'audit.finished', ${JSON.stringify(result.details)}::jsonb || jsonb_build_object('passed', passed) FROM standing
    ), ended AS (
      UPDATE control SET audit_lease_until = NULL, audit_begun_at = ${begunAt?.toJSDate() ?? null}::timestamptz,
             audited_until = ${result.until.toJSDate()}, audited_in = ${incarnation},
             ${schedulesRead(result.schedulesUnclear, begunAt)},
             audited_at = CASE WHEN standing.passed THEN ${begunAt?.toJSDate() ?? null}::timestamptz END
        FROM standing WHERE audit_fence = ${fence}::integer
    )
    SELECT passed FROM standing`;
  return row?.passed === true;
}

/**
 * Takes the turn to list the schedules again: the last time that could not be done, or cards have come since, which may
 * have some from before. Returns when it began; null where there is no need, it is too soon, or another has the turn.
 */
export async function takeSchedulesTurn(db: Db): Promise<DateTime | null> {
  const [row] = await db.$queryRaw<{ begun_at: Date }[]>`
    UPDATE control SET schedules_again_at = maedal_now() + ${AFTER_FAILURE}::interval
     WHERE schedules_again_at <= maedal_now() AND (schedules_unclear IS NOT NULL OR EXISTS (
           SELECT FROM billing_key WHERE created_at > control.schedules_read_at - ${CAME_AROUND}::interval))
    RETURNING maedal_now() AS begun_at`;
  return row === undefined ? null : instant(row.begun_at);
}

/** They were listed, or why they could not be. */
export async function recordSchedules(db: Db, unclear: string | null, begunAt: DateTime): Promise<void> {
  await db.$executeRaw`UPDATE control SET ${schedulesRead(unclear, begunAt)}`;
}

function schedulesRead(unclear: string | null, begunAt: DateTime | null): Prisma.Sql {
  return unclear === null
    ? Prisma.sql`schedules_unclear = NULL, schedules_read_at = ${begunAt?.toJSDate() ?? null}::timestamptz, schedules_again_at = maedal_now() + ${AT_MOST_EVERY}::interval`
    : Prisma.sql`schedules_unclear = ${unclear}, schedules_again_at = maedal_now() + ${AFTER_FAILURE}::interval`;
}

const AT_MOST_EVERY = '30 seconds';
const AFTER_FAILURE = '5 minutes';

type Row = { fence: number; begun_at: Date; audited_until: Date | null; incarnation: string };
