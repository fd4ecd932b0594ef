import type { Clock } from '../clock.ts';
import type { ChargeStore } from '../store/charge-store.ts';
import type { Brake } from './deps.ts';
import type { Stops } from './stops.ts';

/**
 * Stops the sending while more than `maxUnknownShare` of the last 50 sends have no answer: something is wrong with the
 * gateway or the network, and every further send would only add to what must be found out. Look-ups go on, and one
 * charge a minute goes as a probe, so that the share can fall again. No safety device: it is checked before the intent.
 */
export function unknownShareBrake(deps: {
  readonly store: Pick<ChargeStore, 'recentSends'>;
  readonly stops: Stops;
  readonly clock: Clock;
  readonly maxUnknownShare: number;
}): Brake {
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let probedAtMs = Number.NEGATIVE_INFINITY;
  let reason: string | null = null;
  const askShare = async () => {
    const nowMs = deps.clock.monotonicMs();
    if (nowMs - askedAtMs < REMEMBERED_MS) return;
    const { sends, unknown } = await deps.store.recentSends(WINDOW);
    const isOver = sends >= WINDOW && unknown / sends > deps.maxUnknownShare;
    reason = isOver ? `${unknown} of the last ${sends} sends have no answer: sending waits for look-ups` : null;
    askedAtMs = nowMs;
  };
  return {
    stop: deps.stops.stop,
    rest: deps.stops.rest,
    lift: deps.stops.lift,
    check: async (channel) => {
      const clear = { kind: 'clear', stoppedSince: deps.stops.watch(channel) } as const;
      const [stopped] = await Promise.all([deps.stops.standingAgainst(channel), askShare()]);
      if (stopped !== null) return { kind: 'braked', reason: stopped };
      if (reason === null) return clear;
      const nowMs = deps.clock.monotonicMs();
      if (nowMs - probedAtMs < PROBE_MS) return { kind: 'braked', reason };
      probedAtMs = nowMs;
      return clear;
    },
  };
}

const WINDOW = 50;
const REMEMBERED_MS = 1_000;
const PROBE_MS = 60_000;
