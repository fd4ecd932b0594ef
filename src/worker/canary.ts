import { type Sight, sightOf } from '../gateway/canary.ts';
import type { WorkerDeps } from './deps.ts';

/** Looks up payments known to be paid, of another id than the one that was not found just now. */
export async function lookForCanary(deps: WorkerDeps, notFound: string): Promise<Sight> {
  const sight = await sightOf(deps.gateway, await deps.store.canaries(notFound));
  await deps.failpoints.at('canary.seen');
  return sight;
}
