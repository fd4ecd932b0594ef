import type { DateTime } from 'luxon';
import { CARD_AWAITED } from './awaiting.ts';
import type { Db } from './db.ts';
import { IN_ARREARS_NO_MORE } from './draw-up.ts';
import { RETRY_DUE, RING_DUE, SEND_EXPIRED } from './due.ts';
import { ENDS_AT, STOPPED_TO_END } from './ending.ts';
import { instant } from './instant.ts';
import { Prisma } from './prisma/client.ts';
import { STEP_DUE } from './steps.ts';
import { LEFT_COLLECTING, LEFT_HELD } from './subscription-orders.ts';
import { UNACCOUNTED } from './unaccounted.ts';

/** The parts of a sweep, in the order in which they are made. */
export type SweepPart =
  | 'leftBehind'
  | 'expired'
  | 'captures'
  | 'givenCards'
  | 'awaited'
  | 'steps'
  | 'retries'
  | 'rings';

/** Which parts of a tick that go before the drawing up have something to do, and the database's clock. */
export type DueInTick = Readonly<Record<'arrears' | 'endings', boolean>> & {
  readonly now: DateTime;
};

/** Which parts of a sweep have. */
export type DueInSweep = Readonly<Record<SweepPart, boolean>>;

/** All of them, for whoever cannot look. */
export const ALL_OF_A_TICK = { arrears: true, endings: true } as const;
export const ALL_OF_A_SWEEP: DueInSweep = {
  leftBehind: true,
  expired: true,
  captures: true,
  givenCards: true,
  awaited: true,
  steps: true,
  retries: true,
  rings: true,
};

// Passes are made every second, and mostly there is nothing to do: one statement finds that out in the place of seven. Each
// part is asked about in the words of the statement that does it, so that none is passed over which would do something.

/** What a tick would find now. */
export async function dueInTick(db: Db): Promise<DueInTick> {
  const [row] = await db.$queryRaw<(Omit<DueInTick, 'now'> & { readonly now: Date })[]>`
    SELECT maedal_now() AS now, EXISTS (${IN_ARREARS_NO_MORE}) AS arrears,
           EXISTS (SELECT FROM subscription s WHERE ${STOPPED_TO_END} AND ${ENDS_AT} <= maedal_now()) AS endings`;
  if (row === undefined) throw new Error('SELECT returned no row');
  return { ...row, now: instant(row.now) };
}

/** What a sweep would find now. What is left behind is asked about only where it `settles`: that looks at all subscriptions. */
export async function dueInSweep(db: Db, settles: boolean): Promise<DueInSweep> {
  const [row] = await db.$queryRaw<DueInSweep[]>`
    SELECT ${settles} AND (EXISTS (SELECT ${OF_INVOICES} WHERE ${LEFT_COLLECTING}) OR EXISTS (SELECT ${OF_INVOICES} WHERE ${LEFT_HELD})) AS "leftBehind",
           EXISTS (SELECT FROM invoice i JOIN attempt a ON a.invoice_id = i.id WHERE ${SEND_EXPIRED}) AS expired,
           EXISTS (SELECT FROM observation o WHERE ${UNACCOUNTED}) AS captures,
           EXISTS (SELECT FROM billing_key WHERE given_at IS NOT NULL) AS "givenCards",
           EXISTS (SELECT ${OF_INVOICES} WHERE ${CARD_AWAITED}) AS awaited,
           EXISTS (SELECT FROM invoice JOIN subscription ON subscription.id = invoice.subscription_id WHERE ${STEP_DUE}) AS steps,
           EXISTS (SELECT FROM invoice i WHERE ${RETRY_DUE}) AS retries, EXISTS (SELECT FROM invoice i WHERE ${RING_DUE}) AS rings`;
  if (row === undefined) throw new Error('SELECT returned no row');
  return row;
}

const OF_INVOICES = Prisma.sql`FROM invoice i JOIN subscription s ON s.id = i.subscription_id`;
