import { pause, systemClock } from '../../../src/clock.ts';
import type { Books, BooksReader } from './books.ts';
import { resumeAll } from './faults/orders.ts';
import { OPEN, UNACCOUNTED } from './oracle/ends.ts';
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
    const standing = await look(world, reader.books);
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
    } else if (standing.waitMs > 0 && standing.busy === 0) await clock.jump(standing.waitMs + 20);
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

type Standing = {
  readonly open: number;
  readonly undrawn: number;
  /** Charges in the gateway's hands now. */
  readonly busy: number;
  readonly nextCaptureMs: number | null;
  /** Until the next instant at which something is due; 0 for now. */
  readonly waitMs: number;
};

async function look({ postgres, clock }: World, books: Books): Promise<Standing> {
  const [row] = await postgres.query<{ open: number; undrawn: number; busy: number; next: Date | null }>(STANDING);
  if (row === undefined) throw new Error('the database did not tell how it stands');
  const { nextCaptureMs } = books;
  const nowMs = clock.nowMs();
  const nextMs = Math.min(row.next?.getTime() ?? Infinity, nextCaptureMs ?? Infinity);
  const waitMs = Number.isFinite(nextMs) ? Math.max(0, nextMs - nowMs) : 0;
  return { open: row.open, undrawn: row.undrawn, busy: row.busy, nextCaptureMs, waitMs };
}

const UNDERWAY = `SELECT id FROM attempt WHERE state IN ('sent', 'unknown') OR (state = 'prepared' AND send_count > 0)`;
const RECOVERY = `
  SELECT max(extract(epoch FROM decided.at - $2::timestamptz))::float8 AS seconds FROM unnest($1::uuid[]) AS underway (attempt) CROSS JOIN LATERAL
         (SELECT min(at) AS at FROM history WHERE entity_id = underway.attempt AND at >= $2::timestamptz AND to_state NOT IN ('prepared', 'sent', 'unknown')) decided`;
const STANDING = `
  SELECT (SELECT count(*)::integer FROM (${OPEN}) still_open) + undrawn + watched + untold AS open, undrawn, busy, next FROM
    (SELECT (SELECT count(*) FROM outbox WHERE relayed_at IS NULL)::integer + (SELECT count(*) FROM delivery WHERE next_at IS NOT NULL)::integer AS untold) events,
    -- What somebody ended while a send of it might still land.
    (SELECT count(*)::integer AS watched FROM invoice WHERE state = 'void' AND watch_at IS NOT NULL) ended,
    (SELECT count(*)::integer AS undrawn FROM subscription WHERE next_due_at <= maedal_now() AND status IN ('trialing', 'active', 'past_due')) due,
    (SELECT count(*)::integer AS busy FROM attempt
      WHERE state = 'sent' AND pg_xact_commit_timestamp(xmin) > clock_timestamp() - interval '4 seconds') sending,
    (SELECT min(at) AS next FROM (
       SELECT next_at AS at FROM invoice WHERE state IN ('open', 'retrying')
       UNION ALL SELECT lease_until FROM attempt WHERE state = 'sent'
       UNION ALL SELECT min(next_at) FROM delivery WHERE next_at IS NOT NULL
       UNION ALL SELECT o.account_at FROM observation o JOIN attempt a USING (merchant_uid) JOIN invoice i ON i.id = a.invoice_id
        WHERE ${UNACCOUNTED}
       UNION ALL SELECT watch_at FROM invoice WHERE watch_at > maedal_now()
       UNION ALL SELECT next_at FROM refund WHERE next_at IS NOT NULL AND state IN ('prepared', 'sent', 'unknown')
       UNION ALL SELECT min(s.next_due_at) FROM subscription s WHERE NOT EXISTS (SELECT FROM invoice WHERE subscription_id = s.id)
     ) upcoming) soonest`;
/** Calls end within two seconds, which are less than the horizon even so. */
const RATE = 6;
const LOOK_MS = 150;
const TELL_EVERY_MS = 5_000;
const STUCK_MS = 60_000;
