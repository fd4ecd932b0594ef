import type { Clock } from '../clock.ts';

/** What keeps the charges of a channel from leaving, because an answer said that no other would fare better. */
export type Stops = {
  /** Stops one channel, or all of them. */
  stop(reason: string, channel?: string): void;
  /** An answer came that says otherwise: the channel goes again. */
  lift(channel: string): void;
  /** Why a charge of this channel may not leave now; null where it may. Once a minute one may, to find out. */
  standingAgainst(channel: string): string | null;
};

/** Remembered by this process alone, and by this host's clock: nothing rests on it but how often a refusal is asked for. */
export function stopsBy(clock: Clock): Stops {
  const stops = new Map<string | null, { readonly reason: string; readonly untilMs: number }>();
  return {
    stop: (reason, channel) => {
      stops.set(channel ?? null, { reason, untilMs: clock.monotonicMs() + A_MINUTE_MS });
    },
    lift: (channel) => {
      stops.delete(channel);
      stops.delete(null);
    },
    standingAgainst: (channel) => {
      const nowMs = clock.monotonicMs();
      const own = [null, channel].flatMap((key) => {
        const stop = stops.get(key);
        return stop === undefined ? [] : [{ key, ...stop }];
      });
      const [standing] = own.filter(({ untilMs }) => nowMs < untilMs);
      if (standing !== undefined) return standing.reason;
      for (const { key, reason } of own) stops.set(key, { reason, untilMs: nowMs + A_MINUTE_MS });
      return null;
    },
  };
}

const A_MINUTE_MS = 60_000;
