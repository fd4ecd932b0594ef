import type { Report } from '../events.ts';

/** What the watch over the database's clock is given. */
export type ClockWatchDeps = {
  /** Remembers the latest instant; stops the sending where the clock stands further behind it than that. */
  readonly watchClock: (toleranceSeconds: number) => Promise<{ readonly behindSeconds: number } | null>;
  readonly report: Report;
};

/** A clock that steps back has leases end late and charges due twice: a person must look before anything leaves. */
export async function watchClock(deps: ClockWatchDeps): Promise<void> {
  const stepped = await deps.watchClock(STEP_BACK_SECONDS);
  if (stepped === null) return;
  const reason = `the database's clock stepped back by ${stepped.behindSeconds} s`;
  deps.report({ kind: 'sending.stopped', by: 'maedal/clock', reason });
}

/** Protocol, reading note to P4: five minutes. */
const STEP_BACK_SECONDS = 300;
