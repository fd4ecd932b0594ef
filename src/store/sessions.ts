import type { Db } from './db.ts';
import { Prisma } from './prisma/client.ts';

/** Opens a session under the hash of its id, and forgets those that ended. */
export async function openSession(db: Db, idHash: string): Promise<void> {
  await db.$executeRaw`
    DELETE FROM operator_session
     WHERE expires_at <= maedal_now() OR last_seen_at <= maedal_now() - make_interval(mins => ${IDLE_MINUTES})`;
  await db.$executeRaw`
    INSERT INTO operator_session (id_hash, expires_at)
    VALUES (${idHash}, maedal_now() + make_interval(hours => ${ABSOLUTE_HOURS}))`;
}

/** Whether the session is alive; a yes keeps it alive for another idle span. */
export async function touchSession(db: Db, idHash: string): Promise<boolean> {
  const touched = await db.$executeRaw`
    UPDATE operator_session SET last_seen_at = maedal_now()
     WHERE id_hash = ${idHash} AND expires_at > maedal_now()
       AND last_seen_at > maedal_now() - make_interval(mins => ${IDLE_MINUTES})`;
  return touched === 1;
}

/** Ends a session; its cookie is worth nothing from here on. Ending one that is gone is fine. */
export async function closeSession(db: Db, idHash: string): Promise<void> {
  await db.$executeRaw`DELETE FROM operator_session WHERE id_hash = ${idHash}`;
}

/** Seconds until another login may be tried from this address; 0 means now. */
export async function loginWaitSeconds(db: Db, origin: string): Promise<number> {
  const [row] = await db.$queryRaw<{ wait: number }[]>`
    SELECT ceil(extract(epoch FROM max(until) - maedal_now()))::integer AS wait FROM (${blocks(origin)}) AS block`;
  return Math.max(row?.wait ?? 0, 0);
}

/**
 * Writes a login's verdict down, unless too many failed before it: then it does not count, even a right password.
 * One at a time over all processes, so that guesses made side by side get no more answers than the limit.
 */
export async function recordLogin(db: Db, verdict: 'succeeded' | 'failed', origin: string): Promise<boolean> {
  const [, recorded] = await db.$transaction([
    db.$executeRaw`SELECT pg_advisory_xact_lock(${LOGIN_LOCK})`,
    db.$executeRaw`
      INSERT INTO audit (actor, action, origin) SELECT 'operator', ${`login.${verdict}`}, ${origin}
       WHERE NOT EXISTS (${blocks(origin)})`,
  ]);
  return recorded === 1;
}

/** The limits that are reached, each with the instant at which the oldest failure leaves the window. */
function blocks(origin: string): Prisma.Sql {
  const failures = Prisma.sql`
    SELECT min(at) + make_interval(mins => ${WINDOW_MINUTES}) AS until FROM audit
     WHERE action = 'login.failed' AND at > maedal_now() - make_interval(mins => ${WINDOW_MINUTES})`;
  return Prisma.sql`${failures} AND origin = ${origin} HAVING count(*) >= ${MAX_FAILURES_PER_ORIGIN}
    UNION ALL ${failures} HAVING count(*) >= ${MAX_FAILURES}`;
}

/** One lock for all logins; the number is arbitrary and fixed. */
const LOGIN_LOCK = 7_220_431;
/** How long a session lives without a request, and at most; by the database's clock. */
const IDLE_MINUTES = 15;
const ABSOLUTE_HOURS = 12;
/** Failed logins within the window after which no password counts any more: from one address, and from all. */
const WINDOW_MINUTES = 30;
const MAX_FAILURES_PER_ORIGIN = 10;
const MAX_FAILURES = 100;
