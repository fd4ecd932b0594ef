import type { AttemptId } from '../billing/ids.ts';
import { bound } from './charge-store.ts';
import type { Db } from './db.ts';

/** What keeps the charges of a channel from leaving. */
export type ChannelStop = {
  /** `ALL_CHANNELS` for every one. */
  readonly channel: string;
  readonly reason: string;
  /** Whether its minute has passed: then one charge may go, to find out whether it still holds. */
  readonly isOver: boolean;
  /** Whether the gateway asked for a rest that is not over: no answer lifts it sooner. */
  readonly rests: boolean;
};

export const ALL_CHANNELS = '';

/** What workers ask of the stops that they share. Instants by the database's clock. */
export type StopStore = ReturnType<typeof stopStore>;

/** The rows themselves: one for each channel that is stopped. */
export function stopStore(db: Db) {
  return {
    channelStops: bound(db, channelStops),
    stopChannel: bound(db, stopChannel),
    restChannel: bound(db, restChannel),
    liftStops: bound(db, liftStops),
    takeProbe: bound(db, takeProbe),
  };
}

async function channelStops(db: Db): Promise<ChannelStop[]> {
  return db.$queryRaw<ChannelStop[]>`
    SELECT channel, reason, until <= maedal_now() AS "isOver", coalesce(rests_until > maedal_now(), false) AS rests
      FROM channel_stop ORDER BY channel`;
}

/** For a minute from now on, and to the end of its rest. */
async function stopChannel(db: Db, channel: string, reason: string): Promise<void> {
  await db.$executeRaw`
    INSERT INTO channel_stop (channel, reason, until) VALUES (${channel}, ${reason}, maedal_now() + interval '1 minute')
    ON CONFLICT (channel) DO UPDATE SET reason = excluded.reason, until = greatest(excluded.until, channel_stop.rests_until)`;
}

/**
 * For so many seconds, however many others that are on their way are answered meanwhile: those have left before. The send that
 * was told so counts no more among those without an answer, for it says nothing of the gateway's health.
 */
async function restChannel(
  db: Db,
  channel: string,
  { attemptId, seconds, reason }: { readonly attemptId: AttemptId; readonly seconds: number; readonly reason: string },
): Promise<void> {
  await db.$executeRaw`
    WITH told AS (
      UPDATE attempt SET slowed_at = maedal_now() WHERE id = ${attemptId}::uuid
    )
    INSERT INTO channel_stop (channel, reason, until, rests_until)
    VALUES (${channel}, ${reason}, maedal_now() + make_interval(secs => ${seconds}), maedal_now() + make_interval(secs => ${seconds}))
    ON CONFLICT (channel) DO UPDATE SET reason = excluded.reason, until = greatest(channel_stop.until, excluded.until),
           rests_until = greatest(channel_stop.rests_until, excluded.rests_until)`;
}

/** Its own one, and that of all channels, unless it is to rest. */
async function liftStops(db: Db, channel: string): Promise<void> {
  await db.$executeRaw`DELETE FROM channel_stop WHERE channel IN (${ALL_CHANNELS}, ${channel}) AND coalesce(rests_until <= maedal_now(), true)`;
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
