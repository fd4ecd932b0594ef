import type { Interval } from '../billing/calendar.ts';
import type { DeclineClass } from '../billing/charge.ts';
import type { Money } from '../billing/money.ts';
import type { DunningPolicy } from '../billing/policy.ts';
import type { CatchUp } from '../billing/subscription.ts';
import type { LogLevel } from './environment.ts';
import type { EventEndpoint } from './events.ts';
import type { Hooks } from './hooks.ts';
import type { Secret } from './secret.ts';
import type { Webhooks } from './webhooks.ts';

/** Everything maedal was told, checked and frozen: defaults, then the configuration file, then the environment. */
export type Config = {
  /** `live` moves real money. */
  readonly mode: 'test' | 'live';
  /** Where the file part came from. */
  readonly configFile: string;
  /** Five cron fields in `timezone`: when the scheduler looks for what is due. */
  readonly schedule: string;
  readonly timezone: string;
  /** `HH:mm`. */
  readonly chargeAt: string;
  readonly catchUp: CatchUp;
  readonly refundDuplicates: 'auto' | 'propose';
  /** By name; `default` is always there. No prototype: a name that nobody configured is undefined. */
  readonly channels: Named<Channel>;
  readonly plans: Named<Plan>;
  readonly policies: Named<Policy>;
  /** Names all policies together: the same for the same `dunning` section, whatever the order of its keys. */
  readonly policyVersion: string;
  /** The merchant's own lines by `pg_provider`, or `any`. No prototype. */
  readonly declines: Named<DeclineLines>;
  readonly hooks: Hooks;
  /** Who is told of events. */
  readonly endpoints: readonly EventEndpoint[];
  readonly webhooks: Webhooks;
  readonly limits: Limits;
  readonly gateway: GatewayConfig;
  readonly database: DatabaseConfig;
  readonly queue: QueueConfig;
  /** The key of all ids: what `merchant_uid` is computed under. */
  readonly secret: Secret;
  /** Null only in `live`, for processes that serve no HTTP. */
  readonly login: Login | null;
  /** The file that generated secrets were read from; null if none was needed. */
  readonly credentialsFile: string | null;
  readonly http: { readonly host: string; readonly port: number };
  readonly sandboxPort: number;
  readonly dataDir: string;
  /** Where a process that can work says so; null for nowhere. */
  readonly healthFile: string | null;
  readonly logLevel: LogLevel;
  /** What `parseFailpoints` reads, and the seed of its chance; null where nothing is to fail, in `live` always. */
  readonly failpoints: { readonly text: string; readonly seed: number } | null;
};

export type Named<T> = Readonly<Record<string, T>>;

export type Channel = {
  readonly pg: string | null;
  /** Charges a second over all workers; null for no limit. */
  readonly ratePerSecond: number | null;
  readonly timeoutSeconds: number;
  readonly horizonSeconds: number;
  readonly quarantineSeconds: number;
  readonly declinesAreFinal: boolean;
};

export type Plan = {
  readonly name: string;
  readonly amount: Money;
  /** The most that a before-hook may make of a charge: the price, unless the plan says more. */
  readonly ceilingMinor: number;
  readonly interval: Interval;
  readonly intervalCount: number;
  /** A key of `policies`. */
  readonly policy: string;
};

/** A policy and the name of its contents: another version for any other ladder. */
export type Policy = { readonly version: string; readonly dunning: DunningPolicy };

/** Classes by code, and by a part of the text. No prototypes. */
type DeclineLines = { readonly codes: Named<DeclineClass>; readonly texts: Named<DeclineClass> };

export type Limits = {
  /** Charges in flight at once in one worker process. */
  readonly concurrency: number;
  readonly leaseSeconds: number;
  readonly reRingSeconds: number;
  /** Share of the last 50 sends, above 0 and up to 1. */
  readonly maxUnknownShare: number;
  /** Largest charge in minor units by currency. No prototype. */
  readonly maxAmount: Named<number> | null;
};

export type GatewayConfig = {
  readonly kind: 'portone' | 'sandbox';
  /** An origin, without a slash at its end. */
  readonly baseUrl: string;
  readonly key: Secret;
  readonly secret: Secret;
  /** No gateway was named: whoever needs one serves the sandbox at `baseUrl` itself. */
  readonly runInside: boolean;
};

export type DatabaseConfig =
  | { readonly kind: 'embedded'; readonly dataDir: string }
  | { readonly kind: 'url'; readonly url: Secret };

export type QueueConfig = { readonly kind: 'postgres' } | { readonly kind: 'redis'; readonly url: Secret };

/** What opens the HTTP API and the console. */
type Login = { readonly apiToken: Secret; readonly operatorPassword: Secret };
