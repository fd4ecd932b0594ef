import type { Books } from './books.ts';
import { OPEN, UNACCOUNTED } from './oracle/ends.ts';
import type { World } from './world.ts';

/** What is still to be done, and when. */
export type Standing = {
  readonly open: number;
  readonly undrawn: number;
  /** Charges that might go now. */
  readonly due: number;
  /** Charges in the gateway's hands now. */
  readonly busy: number;
  readonly nextCaptureMs: number | null;
  /** Until the next instant at which something is due; 0 for now. */
  readonly waitMs: number;
};

export async function standingOf({ postgres, clock }: World, books: Books): Promise<Standing> {
  const [row] = await postgres.query<{ open: number; undrawn: number; due: number; busy: number; next: Date | null }>(
    STANDING,
  );
  if (row === undefined) throw new Error('the database did not tell how it stands');
  const { nextCaptureMs } = books;
  const nowMs = clock.nowMs();
  const nextMs = Math.min(row.next?.getTime() ?? Infinity, nextCaptureMs ?? Infinity);
  const waitMs = Number.isFinite(nextMs) ? Math.max(0, nextMs - nowMs) : 0;
  const { open, undrawn, due, busy } = row;
  return { open, undrawn, due, busy, nextCaptureMs, waitMs };
}

const STANDING = `
  SELECT (SELECT count(*)::integer FROM (${OPEN}) still_open) + undrawn + watched + untold AS open, undrawn, due, busy, next FROM
    (SELECT (SELECT count(*) FROM outbox WHERE relayed_at IS NULL)::integer + (SELECT count(*) FROM delivery WHERE next_at IS NOT NULL)::integer AS untold) events,
    -- What somebody ended while a send of it might still land.
    (SELECT count(*)::integer AS watched FROM invoice WHERE state = 'void' AND watch_at IS NOT NULL) ended,
    (SELECT count(*)::integer AS undrawn FROM subscription WHERE next_due_at <= maedal_now() AND status IN ('trialing', 'active', 'past_due')) fallen_due,
    (SELECT count(*)::integer AS due FROM invoice WHERE state IN ('open', 'retrying') AND next_at <= maedal_now()) ready,
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
