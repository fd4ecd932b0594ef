import type { WorkerDeps } from './deps.ts';
import type { Rest } from './stops.ts';

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

/** Heals by itself: the channel rests as long as the gateway asked for. */
export async function slowedByGateway(deps: Pick<WorkerDeps, 'report' | 'brake'>, rest: Rest): Promise<void> {
  deps.report({ kind: 'gateway.slowed', channel: rest.channel, seconds: rest.seconds });
  await deps.brake.rest(rest);
}
