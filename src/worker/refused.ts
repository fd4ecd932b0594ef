import type { WorkerDeps } from './deps.ts';

/**
 * A person must act: the channel, or where none is named every one, stops until an answer says otherwise, and one charge a
 * minute finds out.
 */
export async function refusedByGateway(
  deps: Pick<WorkerDeps, 'report' | 'brake'>,
  reason: string,
  channel?: string,
): Promise<void> {
  deps.report({ kind: 'gateway.refused', reason, channel: channel ?? null });
  await deps.brake.stop(reason, channel);
}
