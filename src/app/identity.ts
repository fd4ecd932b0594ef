import { createHmac } from 'node:crypto';
import type { Hmac } from '../billing/ids.ts';
import type { Config } from '../config/config.ts';
import type { Db } from '../store/db.ts';
import type { Identity } from '../store/fence.ts';
import { fingerprintOf } from '../store/fingerprint.ts';

/** HMAC-SHA256 under the installation's secret, from which all ids follow. */
export function hmacOf({ secret }: Config): Hmac {
  return (message) => createHmac('sha256', secret.reveal()).update(message).digest();
}

/** What this process takes this database for, and what it needs of it to send. */
export async function identityOf(config: Config, db: Db): Promise<Identity> {
  const fingerprint = await fingerprintOf(db, hmacOf(config), config.gateway.key.reveal());
  return { fingerprint, needsAdoption: config.mode === 'live' };
}
