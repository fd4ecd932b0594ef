import type { Hmac } from '../billing/ids.ts';
import type { CatchUp } from '../billing/subscription.ts';
import type { Clock } from '../clock.ts';
import type { Report } from '../events.ts';
import type { Db } from '../store/db.ts';
import type { Ring } from '../store/due.ts';

/** What the scheduler's passes are given. */
export type SchedulerDeps = {
  readonly db: Db;
  /** Hands rings on: to the queue, or to a worker at hand. */
  readonly ring: (rings: readonly Ring[]) => Promise<void>;
  readonly report: Report;
  readonly clock: Clock;
  /** Names attempts: the HMAC under the installation's secret, and its four letters. */
  readonly hmac: Hmac;
  readonly installation: string;
  readonly catchUp: CatchUp;
  /** The version of each policy in force by its name, `default` among them, as they are kept in the database. */
  readonly policyVersions: Readonly<Record<string, string>>;
  readonly reRingSeconds: number;
};

/** Rows taken by one statement. */
export const BATCH = 500;
