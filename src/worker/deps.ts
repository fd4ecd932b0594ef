import type { MerchantUid } from '../billing/ids.ts';
import type { Clock } from '../clock.ts';
import type { Report } from '../events.ts';
import type { Failpoints } from '../failpoints.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { ChargeStore } from '../store/charge-store.ts';
import type { RefundStore } from '../store/refund-store.ts';
import type { BeforeDeps } from './before-deps.ts';
import type { Stops } from './stops.ts';

/** What a channel promises, in seconds. */
type Channel = {
  /** The gateway's time limit for one call. */
  readonly timeoutSeconds: number;
  /** H: how long after the last byte of a send its capture may still land, and show. */
  readonly horizonSeconds: number;
  /** H_long: how long a send that nothing answered bars any other id. */
  readonly quarantineSeconds: number;
  /** Whether a decline never turns into a payment later. */
  readonly declinesAreFinal: boolean;
};

/** What the worker's flows are given. */
export type WorkerDeps = {
  readonly store: ChargeStore;
  readonly gateway: Gateway;
  readonly clock: Clock;
  readonly report: Report;
  /** The channel of that name, or the default one. */
  readonly channel: (name: string) => Channel;
  /** The `merchant_uid` of an attempt, by the merchant's own subscription id, the period's key and its number. */
  readonly merchantUid: (subscription: string, periodKey: string, attemptNumber: number) => MerchantUid;
  readonly leaseSeconds: number;
  /** The version of each policy in force by its name, `default` among them, as they are kept in the database. */
  readonly policyVersions: Readonly<Record<string, string>>;
  /** Largest amount that may be sent, in minor units of this currency; null for no cap. */
  readonly maxAmountMinor: (currency: string) => number | null;
  /** Whether the account must be a test channel (`true`) or a live one. */
  readonly sandbox: boolean;
  /** Whether nothing is sent before the database was adopted: so in `live`. */
  readonly needsAdoption: boolean;
  /** What this process takes the database for; another one sends nothing. */
  readonly fingerprint: string;
  readonly failpoints: Failpoints;
  /** Stops the sending while too many sends have no answer. */
  readonly brake: Brake;
  /** Aborted when this process is told to stop: from then on no charge leaves that has not left. */
  readonly stopped?: AbortSignal;
  /** The merchant's before-hooks; left out where there are none. */
  readonly before?: BeforeDeps;
};

/** What a worker that refunds is given. */
export type RefundDeps = Omit<WorkerDeps, 'store' | 'maxAmountMinor' | 'sandbox'> & {
  readonly store: RefundStore;
};

/** Whether a charge of a channel may leave now, and if not, why. Remembers for a second what it was told of all of them. */
export type Brake = Omit<Stops, 'standingAgainst' | 'watch'> & {
  check(channel: string): Promise<Unbraked | { readonly kind: 'braked'; readonly reason: string }>;
};

/** It may leave, unless `stoppedSince` says why not any more by the time that it is about to. */
type Unbraked = { readonly kind: 'clear'; readonly stoppedSince: () => string | null };
