import type { AttemptId } from '../billing/ids.ts';
import type { LeasedAttempt } from '../store/lease.ts';
import { chargeAttempt } from './charge-invoice.ts';
import { type Conclusion, concludeAndReport } from './conclude.ts';
import type { WorkerDeps } from './deps.ts';
import { reconcile } from './reconcile.ts';

/**
 * One ring of the doorbell, start to finish. Safe to run twice or never for one job: the second run finds nothing to
 * lease, and what never ran is rung again. Throws when the database is away; the lease then ends by itself.
 */
export async function runJob(deps: WorkerDeps, job: { attemptId: AttemptId; generation: number }): Promise<void> {
  const startedMs = deps.clock.monotonicMs();
  await deps.failpoints.at('job.taken');
  const attempt = await deps.store.lease(job, deps.leaseSeconds, deps.policyVersions);
  if (attempt === null) {
    deps.report({ kind: 'job.idle', attemptId: job.attemptId });
    return;
  }
  await deps.failpoints.at('attempt.leased');
  const conclusion =
    attempt.leaseCount > LEASES_WITHOUT_RECORD
      ? poisoned(attempt)
      : attempt.state === 'prepared'
        ? await chargeAttempt(deps, attempt)
        : await reconcile(deps, attempt);
  await concludeAndReport(deps, attempt, conclusion, startedMs);
}

/**
 * An attempt that ended every worker who took it is for a person to look at. One that may have been captured is not
 * given up: it waits for its next look-up.
 */
function poisoned({ leaseCount, state }: LeasedAttempt): Conclusion {
  const reason = `${leaseCount - 1} workers took this attempt and never reported back`;
  return { kind: 'outcome', outcome: { kind: state === 'unknown' ? 'unknown' : 'review', reason } };
}

const LEASES_WITHOUT_RECORD = 10;
