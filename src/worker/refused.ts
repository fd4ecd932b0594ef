import type { WorkerDeps } from './deps.ts';

/**
 * A person must act: the channel, or where none is named every one, stops until an answer says otherwise, and one charge a
 * minute finds out.
 */
export function refusedByGateway(deps: Pick<WorkerDeps, 'report' | 'brake'>, reason: string, channel?: string): void {
  deps.brake.stop(reason, channel);
  deps.report({ kind: 'gateway.refused', reason, channel: channel ?? null });
}
