import type { Fence } from '../store/fence.ts';
import type { WorkerDeps } from './deps.ts';
import { runJob } from './run-job.ts';

/** As `runJob`, where the database is ours: another installation's jobs are for its own workers. */
export async function runFencedJob(
  deps: WorkerDeps & { readonly fence: () => Promise<Fence> },
  job: Parameters<typeof runJob>[1],
): Promise<void> {
  if ((await deps.fence()).kind !== 'foreign') return runJob(deps, job);
  deps.report({ kind: 'job.idle', attemptId: job.attemptId });
}
