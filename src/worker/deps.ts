import type { Clock } from '../clock.ts';
import type { Report } from '../events.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Db } from '../store/db.ts';

/** What a channel promises, in seconds. */
type Channel = { readonly timeoutSeconds: number };

/** What the worker's flows are given. */
export type WorkerDeps = {
  readonly db: Db;
  readonly gateway: Gateway;
  readonly clock: Clock;
  readonly report: Report;
  /** The channel of that name, or the default one. */
  readonly channel: (name: string) => Channel;
  readonly leaseSeconds: number;
  /** Largest amount that may be sent, in minor units of this currency; null for no cap. */
  readonly maxAmountMinor: (currency: string) => number | null;
  /** Whether the account must be a test channel (`true`) or a live one. */
  readonly sandbox: boolean;
  /** Whether nothing is sent before the database was adopted: so in `live`. */
  readonly needsAdoption: boolean;
};
