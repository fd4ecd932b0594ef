import type { DunningPolicy } from '../billing/policy.ts';
import type { Db } from './db.ts';

/** Keeps the policy in force under its version, so that every invoice can say which one drove it. */
export async function keepPolicyVersion(db: Db, version: string, policy: DunningPolicy): Promise<void> {
  await db.$executeRaw`
    INSERT INTO policy_version (id, policy) VALUES (${version}, ${JSON.stringify(policy)}::jsonb) ON CONFLICT (id) DO NOTHING`;
}
