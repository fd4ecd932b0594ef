import { type Sight, sightOf } from '../gateway/canary.ts';
import type { WorkerDeps } from './deps.ts';

/** Looks up payments known to be paid, of another id than the one that was not found just now, while there is time. */
export async function lookForCanary(deps: WorkerDeps, notFound: string, isLate: () => boolean): Promise<Sight> {
  const sight = await sightOf(deps.gateway, await deps.store.canaries(notFound), isLate);
  await deps.failpoints.at('canary.seen');
  return sight;
}

/** Past half the lease: what takes longer might not be recorded, and be taken for what ends its workers. */
export function deadline({ clock, leaseSeconds }: Pick<WorkerDeps, 'clock' | 'leaseSeconds'>): () => boolean {
  const beganMs = clock.monotonicMs();
  return () => clock.monotonicMs() - beganMs > leaseSeconds * 500;
}
