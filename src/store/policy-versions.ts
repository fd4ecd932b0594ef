import type { DunningPolicy } from '../billing/policy.ts';
import type { Db } from './db.ts';

/** Keeps the policy in force under its version, so that every invoice can say which one drove it. */
export async function keepPolicyVersion(db: Db, version: string, policy: DunningPolicy): Promise<void> {
  await db.$executeRaw`
    INSERT INTO policy_version (id, policy) VALUES (${version}, ${JSON.stringify(policy)}::jsonb) ON CONFLICT (id) DO NOTHING`;
}

/** A policy as it was kept under its version, which an invoice names. */
export async function policyOfVersion(db: Db, version: string): Promise<DunningPolicy> {
  const [row] = await db.$queryRaw<
    { policy: DunningPolicy }[]
  >`SELECT policy FROM policy_version WHERE id = ${version}`;
  if (row === undefined) throw new Error(`there is no policy version ${version}`);
  return row.policy;
}
