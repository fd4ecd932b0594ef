import { ALL_CHANNELS } from '../store/channel-stops.ts';

/** The stops that this process itself was told of, so that what is already on its way to a send hears of them at no cost. */
export type ToldStops = {
  note(channel: string, reason: string): void;
  forget(channel: string): void;
  /** Tells later why a charge of this channel may leave no more; null while nothing was told since now. */
  watch(channel: string): () => string | null;
};

export function toldStops(): ToldStops {
  let times = 0;
  const told = new Map<string, { readonly time: number; readonly reason: string }>();
  return {
    note: (channel, reason) => {
      times += 1;
      told.set(channel, { time: times, reason });
    },
    forget: (channel) => void told.delete(channel),
    watch: (channel) => {
      const before = times;
      return () => {
        const stops = [told.get(ALL_CHANNELS), told.get(channel)];
        return stops.find((stop) => stop !== undefined && stop.time > before)?.reason ?? null;
      };
    },
  };
}
