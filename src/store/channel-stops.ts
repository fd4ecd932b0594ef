import { bound } from './charge-store.ts';
import type { Db } from './db.ts';

/** What keeps the charges of a channel from leaving. */
export type ChannelStop = {
  /** `ALL_CHANNELS` for every one. */
  readonly channel: string;
  readonly reason: string;
  /** Whether its minute has passed: then one charge may go, to find out whether it still holds. */
  readonly isOver: boolean;
};

export const ALL_CHANNELS = '';

/** What workers ask of the stops that they share. Instants by the database's clock. */
export type StopStore = ReturnType<typeof stopStore>;

/** The rows themselves: one for each channel that is stopped. */
export function stopStore(db: Db) {
  return {
    channelStops: bound(db, channelStops),
    stopChannel: bound(db, stopChannel),
    liftStops: bound(db, liftStops),
    takeProbe: bound(db, takeProbe),
  };
}

async function channelStops(db: Db): Promise<ChannelStop[]> {
  return db.$queryRaw<ChannelStop[]>`
    SELECT channel, reason, until <= maedal_now() AS "isOver" FROM channel_stop ORDER BY channel`;
}

/** For a minute from now on. */
async function stopChannel(db: Db, channel: string, reason: string): Promise<void> {
  await db.$executeRaw`
    INSERT INTO channel_stop (channel, reason, until) VALUES (${channel}, ${reason}, maedal_now() + interval '1 minute')
    ON CONFLICT (channel) DO UPDATE SET reason = excluded.reason, until = excluded.until`;
}

/** Its own one, and that of all channels. */
async function liftStops(db: Db, channel: string): Promise<void> {
  await db.$executeRaw`DELETE FROM channel_stop WHERE channel IN (${ALL_CHANNELS}, ${channel})`;
}

/**
 * Lets one charge go for all workers, and keeps the channel stopped for another minute; false where its minute has not
 * passed, or somebody else was quicker. True where nothing stops it any more.
 */
async function takeProbe(db: Db, channel: string): Promise<boolean> {
  const [row] = await db.$queryRaw<{ free: boolean }[]>`
    WITH own AS MATERIALIZED (
      SELECT channel, until FROM channel_stop WHERE channel IN (${ALL_CHANNELS}, ${channel}) ORDER BY channel FOR UPDATE
    ), taken AS (
      UPDATE channel_stop SET until = maedal_now() + interval '1 minute' FROM own
       WHERE channel_stop.channel = own.channel AND NOT EXISTS (SELECT FROM own WHERE until > maedal_now())
      RETURNING channel_stop.channel
    )
    SELECT NOT EXISTS (SELECT FROM own) OR EXISTS (SELECT FROM taken) AS free`;
  return row?.free ?? false;
}
