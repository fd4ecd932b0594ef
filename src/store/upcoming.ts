import type { DateTime } from 'luxon';
import type { Db } from './db.ts';
import { IN_ARREARS_NO_MORE } from './draw-up.ts';
import { LONG_TRY_GOES_FIRST } from './due.ts';
import { ENDS_AT, STOPPED_TO_END } from './ending.ts';
import { instant } from './instant.ts';
import { Prisma } from './prisma/client.ts';
import { ENTERS_STEPS } from './steps.ts';
import { LEFT_COLLECTING, SOON_LEFT_HELD } from './subscription-orders.ts';

/** When there is next something to do for each pass; null where nothing is in sight. By the database's clock. */
export type Upcoming = {
  readonly tick: Date | null;
  readonly settle: Date | null;
  readonly sweep: Date | null;
  readonly lateWatch: Date | null;
  readonly refunds: Date | null;
  readonly audit: Date | null;
};

/** Reads it off the rows: every row that is not final has an instant at which something looks at it. */
export async function readUpcoming(db: Db): Promise<Upcoming> {
  const [row] = await db.$queryRaw<Upcoming[]>`
    SELECT (SELECT s.next_due_at FROM subscription s
             WHERE ${TO_DRAW_UP} AND NOT (s.status = 'past_due' AND s.next_due_at <= maedal_now() AND ${LONG_TRY_GOES_FIRST})
             ORDER BY s.next_due_at LIMIT 1) AS tick,
           least((SELECT min(${ENDS_AT}) FROM subscription s WHERE ${STOPPED_TO_END}),
                 (SELECT min(s.updated_at) FROM subscription s
                   WHERE s.status IN ('past_due', 'unpaid') AND s.id IN (${IN_ARREARS_NO_MORE})),
                 (SELECT min(i.updated_at) ${OF_INVOICES} WHERE ${LEFT_COLLECTING}),
                 (SELECT min(i.updated_at) ${OF_INVOICES} WHERE ${SOON_LEFT_HELD})) AS settle,
           least((SELECT min(next_at) FROM invoice WHERE state IN ('open', 'retrying')),
                 (SELECT min(step_at) FROM invoice WHERE ${ENTERS_STEPS}),
                 (SELECT min(a.lease_until) FROM attempt a JOIN invoice i ON i.id = a.invoice_id
                   WHERE a.state = 'sent' AND i.state IN ('open', 'retrying')),
                 (SELECT min(o.account_at) FROM observation o JOIN attempt a ON a.merchant_uid = o.merchant_uid
                   WHERE o.account_at IS NOT NULL AND o.status IN ('paid', 'cancelled'))) AS sweep,
           (SELECT min(watch_at) FROM invoice WHERE watch_at IS NOT NULL) AS "lateWatch",
           (SELECT min(next_at) FROM refund WHERE next_at IS NOT NULL) AS refunds,
           (SELECT greatest(audit_begun_at + interval '24 hours', audit_lease_until) FROM control) AS audit`;
  if (row === undefined) throw new Error('SELECT returned no row');
  return row;
}

/** When the earliest period begins, or began, that is not drawn up; null where none ever will. */
export async function nextPeriodAt(db: Db): Promise<DateTime | null> {
  const [row] = await db.$queryRaw<{ at: Date | null }[]>`
    SELECT min(s.next_due_at) AS at FROM subscription s WHERE ${TO_DRAW_UP}`;
  return row?.at == null ? null : instant(row.at);
}

/** Whether the subscription `s` has a next period. */
const TO_DRAW_UP = Prisma.sql`s.next_due_at IS NOT NULL AND s.status IN ('trialing', 'active', 'past_due')`;
const OF_INVOICES = Prisma.sql`FROM invoice i JOIN subscription s ON s.id = i.subscription_id`;
