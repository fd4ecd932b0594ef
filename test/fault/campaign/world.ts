import type { FaultProxy } from '../proxy/fault-proxy.ts';
import type { Chance } from './chance.ts';
import type { CampaignClock } from './clock.ts';
import type { CampaignConsole } from './console.ts';
import type { Fleet } from './fleet.ts';
import type { CampaignMerchant } from './merchant.ts';
import type { ClassName, Plan } from './options.ts';
import type { Orders } from './orders.ts';
import type { CampaignPostgres } from './postgres.ts';
import type { CampaignRedis } from './redis.ts';
import type { CampaignSandbox } from './sandbox.ts';
import type { Tally } from './tally.ts';

/** Everything that a run stands on. */
export type World = {
  readonly plan: Plan;
  /** Where it keeps everything: data, logs, how far it has come. */
  readonly directory: string;
  readonly postgres: CampaignPostgres;
  /** Null where the queue is in PostgreSQL. */
  readonly redis: CampaignRedis | null;
  readonly sandbox: CampaignSandbox;
  readonly merchant: CampaignMerchant;
  readonly clock: CampaignClock;
  readonly proxies: { readonly postgres: FaultProxy; readonly redis: FaultProxy | null; readonly gateway: FaultProxy };
  readonly fleet: Fleet;
  readonly console: CampaignConsole;
  readonly orders: Orders;
  readonly chance: Chance;
  readonly tally: Tally;
  /** How often failpoints fired in runs before this one. */
  readonly fired: Readonly<Record<string, number>>;
  say(text: string): void;
};

/** One class of faults: `begin`, then a `strike` every now and then, then `end`, which heals what it did. */
export type FaultClass = {
  readonly name: ClassName;
  begin?(world: World): Promise<void>;
  /** Does one deed; resolves when it is over. */
  strike?(world: World): Promise<void>;
  end?(world: World): Promise<void>;
};
