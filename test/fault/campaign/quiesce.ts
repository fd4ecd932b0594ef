import { pause, systemClock } from '../../../src/clock.ts';
import type { BooksReader } from './books.ts';
import { resumeAll } from './faults/orders.ts';
import { OPEN } from './oracle/ends.ts';
import { standingOf } from './standing.ts';
import type { World } from './world.ts';

/** How a run came to rest. */
export type Rest = {
  readonly openAfterQuiesce: number;
  /** Longest from the end of the faults to a decision about what was under way then, in seconds by the campaign's clock. */
  readonly longestRecoverySeconds: number;
  readonly wallSeconds: number;
};

/**
 * Ends every fault, starts every process anew and waits until nothing is open any more; where nothing is due, the clock
 * jumps to the next instant at which something is. Gives up when nothing has moved for a minute.
 */
export async function quiesce(world: World, reader: BooksReader): Promise<Rest> {
  const { postgres, clock, fleet, proxies, sandbox, merchant } = world;
  const startedMs = systemClock.monotonicMs();
  await sandbox.setFaults([]);
  merchant.isFaulty = false;
  for (const proxy of Object.values(proxies)) await proxy?.heal();
  fleet.arming = () => null;
  await fleet.restartAll();
  await clock.setRate(RATE);
  const healedMs = clock.nowMs();
  const underway = await postgres.query<{ id: string }>(UNDERWAY);
  let movedMs = systemClock.monotonicMs();
  let last = '';
  let toldMs = movedMs;
  for (;;) {
    await pause(systemClock, LOOK_MS);
    await reader.read();
    await resumeAll(world); // an order that a dead console gave may come late
    const standing = await standingOf(world, reader.books);
    const told = JSON.stringify({ ...standing, waitMs: null });
    if (told !== last) movedMs = systemClock.monotonicMs();
    last = told;
    if (systemClock.monotonicMs() - toldMs > TELL_EVERY_MS) {
      toldMs = systemClock.monotonicMs();
      world.say(`   at rest? ${JSON.stringify(standing)}`);
    }
    if (standing.open === 0 && standing.nextCaptureMs === null) break;
    if (systemClock.monotonicMs() - movedMs > STUCK_MS) break;
    if (standing.undrawn > 0 && systemClock.monotonicMs() - movedMs > 1_500) {
      const [scheduler] = fleet.living('scheduler');
      if (scheduler !== undefined) await fleet.deploy(scheduler); // it ticks when it starts
    } else if (standing.busy === 0 && standing.waitMs > 0) await clock.jump(standing.waitMs + 20);
    else if (standing.busy + standing.due === 0) await clock.jump(BESIDE_MS);
  }
  const [row] = await postgres.query<{ seconds: number | null }>(RECOVERY, [
    underway.map(({ id }) => id),
    new Date(healedMs),
  ]);
  const [left] = await postgres.query<{ open: number }>(`SELECT count(*)::integer AS open FROM (${OPEN}) left_open`);
  return {
    openAfterQuiesce: left?.open ?? 0,
    longestRecoverySeconds: Math.round((row?.seconds ?? 0) * 10) / 10,
    wallSeconds: Math.round((systemClock.monotonicMs() - startedMs) / 1_000),
  };
}

const UNDERWAY = `SELECT id FROM attempt WHERE state IN ('sent', 'unknown') OR (state = 'prepared' AND send_count > 0)`;
const RECOVERY = `
  SELECT max(extract(epoch FROM decided.at - $2::timestamptz))::float8 AS seconds FROM unnest($1::uuid[]) AS underway (attempt) CROSS JOIN LATERAL
         (SELECT min(at) AS at FROM history WHERE entity_id = underway.attempt AND at >= $2::timestamptz AND to_state NOT IN ('prepared', 'sent', 'unknown')) decided`;
/** Calls end within two seconds, which are less than the horizon even so. */
const RATE = 6;
const LOOK_MS = 150;
/** While passes that go by the wall clock are waited for, an attempt keeps its lease. */
const BESIDE_MS = 5_000;
const TELL_EVERY_MS = 5_000;
const STUCK_MS = 60_000;
