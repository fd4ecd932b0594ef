import type { DateTime } from 'luxon';
import type { Hmac } from '../billing/ids.ts';
import type { CatchUp } from '../billing/subscription.ts';
import type { Clock } from '../clock.ts';
import type { Report } from '../events.ts';
import type { Failpoints } from '../failpoints.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Ring } from '../store/due.ts';
import type { ScheduleStore } from '../store/schedule-store.ts';

/** What the scheduler's passes are given. */
export type SchedulerDeps = {
  readonly store: ScheduleStore;
  readonly gateway: Gateway;
  /** Hands rings on: to the queue, or to a worker at hand. */
  readonly ring: (rings: readonly Ring[]) => Promise<void>;
  /** How many may be handed on now; left out where each is worked on before `ring` returns, in less than `reRingSeconds`. */
  readonly room?: () => Promise<number>;
  readonly report: Report;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  /** Names attempts: the HMAC under the installation's secret, and its four letters. */
  readonly hmac: Hmac;
  readonly installation: string;
  readonly catchUp: CatchUp;
  /** The first tick of the schedule that finds what begins at an instant; left out where somebody looks all the time. */
  readonly firstTick?: (startAt: DateTime) => DateTime;
  /** The version of each policy in force by its name, `default` among them, as they are kept in the database. */
  readonly policyVersions: Readonly<Record<string, string>>;
  readonly reRingSeconds: number;
  /** Whether the account must be a test channel (`true`) or a live one. */
  readonly sandbox: boolean;
  /** The channel of that name, or the default one. */
  readonly channel: (name: string) => { readonly quarantineSeconds: number; readonly declinesAreFinal: boolean };
  /** Whether a true double is given back by itself, or put up for a person to decide. */
  readonly refundDuplicates: 'auto' | 'propose';
};

/** Rows taken by one statement. */
export const BATCH = 500;
