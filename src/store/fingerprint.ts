import type { Hmac } from '../billing/ids.ts';
import type { Db } from './db.ts';

/**
 * What a process takes its database for: our secret and the gateway's key (hashed), the server that keeps it and its
 * name there. A copy of the database, the same database under another key pair, or another installation on it differ,
 * and send nothing (protocol §2.3, K9).
 */
export async function fingerprintOf(db: Db, hmac: Hmac, apiKey: string): Promise<string> {
  const [row] = await db.$queryRaw<{ system: string; name: string }[]>`
    SELECT system_identifier::text AS system, current_database() AS name FROM pg_control_system()`;
  if (row === undefined) throw new Error('the database did not say what it is');
  const account = Buffer.from(hmac(`fingerprint\n${apiKey}`))
    .toString('hex')
    .slice(0, 16);
  return `${account}:${row.system}:${row.name}`;
}

/** Takes a database that nobody marked yet for one's own. Returns the mark that stands. */
export async function markDatabase(db: Db, fingerprint: string): Promise<string | null> {
  await db.$executeRaw`UPDATE control SET fingerprint = ${fingerprint}, updated_at = maedal_now() WHERE fingerprint IS NULL`;
  return (await db.control.findUniqueOrThrow({ where: { id: 1 }, select: { fingerprint: true } })).fingerprint;
}
