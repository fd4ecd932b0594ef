import type { AttemptId } from '../billing/ids.ts';
import type { Clock } from '../clock.ts';
import { ALL_CHANNELS, type ChannelStop, type StopStore } from '../store/channel-stops.ts';
import { type ToldStops, toldStops } from './told-stops.ts';

/** The gateway has too many charges of a channel, as it said to one of them. */
export type Rest = { readonly channel: string; readonly attemptId: AttemptId; readonly seconds: number };

/** What keeps the charges of a channel from leaving, because an answer said that no other would fare better. */
export type Stops = Pick<ToldStops, 'watch'> & {
  /** Stops one channel, or all of them. */
  stop(reason: string, channel?: string): Promise<void>;
  /** Stops one channel for so long, whatever others that are on their way are answered. */
  rest(rest: Rest): Promise<void>;
  /** An answer came that says otherwise: the channel goes again, unless it is to rest. */
  lift(channel: string): Promise<void>;
  /** Why a charge of this channel may not leave now; null where it may. Once a minute one may, to find out. */
  standingAgainst(channel: string): Promise<string | null>;
};

/**
 * Shared by all workers through the database, which each reads once a second at most. No safety device: nothing rests on it
 * but how often a refusal is asked for.
 */
export function sharedStops(store: StopStore, clock: Clock): Stops {
  let known: readonly ChannelStop[] = [];
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let asking = Promise.resolve();
  const told = toldStops();
  const against = (channel: string) =>
    known.filter((stop) => stop.channel === ALL_CHANNELS || stop.channel === channel);
  const ask = () => {
    if (clock.monotonicMs() - askedAtMs < REMEMBERED_MS) return asking;
    askedAtMs = clock.monotonicMs();
    asking = store.channelStops().then((stops) => {
      known = stops;
    });
    return asking;
  };
  const note = (channel: string, reason: string, rests: boolean) => {
    known = withStop(known, channel, reason, rests);
    askedAtMs = Number.NEGATIVE_INFINITY;
  };
  return {
    stop: async (reason, channel = ALL_CHANNELS) => {
      told.note(channel, reason);
      await store.stopChannel(channel, reason);
      note(channel, reason, false);
    },
    rest: async ({ channel, attemptId, seconds }) => {
      told.note(channel, TOO_MANY);
      await store.restChannel(channel, { attemptId, seconds, reason: TOO_MANY });
      note(channel, TOO_MANY, true);
    },
    lift: async (channel) => {
      // Whoever knows of none lifts none: that costs no statement.
      const own = against(channel).filter(({ rests }) => !rests);
      if (own.length === 0) return;
      known = known.filter((stop) => !own.includes(stop));
      for (const stop of own) told.forget(stop.channel);
      await store.liftStops(channel);
    },
    standingAgainst: async (channel) => {
      await ask();
      const own = against(channel);
      const reason = (own.find(({ isOver }) => !isOver) ?? own[0])?.reason ?? null;
      if (reason === null || own.some(({ isOver }) => !isOver)) return reason;
      const isFree = await store.takeProbe(channel);
      known = known.map((stop) => (own.includes(stop) ? { ...stop, isOver: false } : stop));
      return isFree ? null : reason;
    },
    watch: told.watch,
  };
}

/** One that rests goes on resting, whatever else stops it. */
function withStop(known: readonly ChannelStop[], channel: string, reason: string, rests: boolean): ChannelStop[] {
  const others = known.filter((stop) => stop.channel !== channel);
  const rested = known.some((stop) => stop.channel === channel && stop.rests);
  return [...others, { channel, reason, isOver: false, rests: rests || rested }];
}

const TOO_MANY = 'the gateway says that too many charges come at once';
const REMEMBERED_MS = 1_000;
