import type { Interval } from '../billing/calendar.ts';
import type { DeclineClass } from '../billing/charge.ts';
import type { Access, CardChoice, LaterInvoices, Rung, SubscriptionEnd } from '../billing/policy.ts';
import type { CatchUp } from '../billing/subscription.ts';
import type { UserEvents } from './define-events.ts';
import type { UserHooks } from './define-hooks.ts';

/** Marks an object as maedal's configuration and checks its types. It is validated whole when maedal starts. */
export function defineConfig(config: UserConfig): UserConfig {
  return config;
}

/** What `maedal.config.ts` exports. Everything may be left out; unknown keys are refused. */
export type UserConfig = {
  /** When the scheduler looks for what is due: five cron fields in `timezone`. Default `* * * * *`, every minute. What one look leaves is found a minute later. */
  readonly schedule?: string | undefined;
  /** IANA zone of `schedule`, and of subscriptions that name none. Default `Asia/Seoul`. */
  readonly timezone?: string | undefined;
  /** Local time at which an anchor without a time falls due, `HH:mm`. Default `10:00`: check cards fail around midnight. */
  readonly chargeAt?: string | undefined;
  /**
   * Periods missed by an outage: `latest` (default) charges the newest and holds the others, `all` charges the oldest
   * first, one missed period a day per customer, `hold` leaves them to an operator.
   */
  readonly catchUp?: CatchUp | undefined;
  /**
   * What is done about a period that was captured twice after all: `propose` (default) puts the later capture up for a
   * person to refund, `auto` refunds it at once. Either raises an alarm.
   */
  readonly refundDuplicates?: 'auto' | 'propose' | undefined;
  /** Payment channels by name. `default` serves every subscription that names none; it is there even if left out. */
  readonly channels?: Readonly<Record<string, UserChannel>> | undefined;
  /** What is sold, by the name that the import's column `plan` uses. */
  readonly plans?: Readonly<Record<string, UserPlan>> | undefined;
  /** How declined invoices are collected, by name. `default` serves every plan that names none. */
  readonly dunning?: Readonly<Record<string, UserPolicy>> | undefined;
  /**
   * What declines mean, by `pg_provider` such as `nice` or `tosspayments`; under `any`, for all companies. These lines go
   * before the tables that maedal ships.
   */
  readonly declines?: Readonly<Record<string, UserDeclines>> | undefined;
  /** Your code before and after a charge. */
  readonly hooks?: UserHooks | undefined;
  /** Where maedal tells what happened. */
  readonly events?: UserEvents | undefined;
  readonly webhooks?: UserWebhooks | undefined;
  readonly limits?: UserLimits | undefined;
};

/** In `live`, the three times may be longer than their defaults, never shorter. */
export type UserChannel = {
  /** The payment company and merchant id behind it, e.g. `nice.MID`: 1 to 100 characters. Shown, not sent. */
  readonly pg?: string | undefined;
  /** The environment this channel belongs to. maedal refuses to start where `MAEDAL_ENV` is another one. */
  readonly mode?: 'test' | 'live' | undefined;
  /** Charges a second, shared by all workers: 0.1 to 1,000. Default null, no limit. */
  readonly ratePerSecond?: number | null | undefined;
  /** Seconds until an answer is given up and the outcome is unknown: 1 to 300. Default 60, against the sandbox 10. */
  readonly timeoutSeconds?: number | undefined;
  /**
   * Seconds after the last byte of a send within which its capture may still land and show: from `timeoutSeconds` to
   * 604,800 (7 days).
   * Default 3,600, against the sandbox 20.
   */
  readonly horizonSeconds?: number | undefined;
  /**
   * Seconds that a send without an answer bars any charge under another id: from 5 more than `timeoutSeconds` and
   * `horizonSeconds` together to 2,592,000 (30 days). Default 86,400, against the sandbox 60.
   */
  readonly quarantineSeconds?: number | undefined;
  /** Whether a decline never turns into a payment later. Default true, but false where `pg` is PayPal or Paymentwall. */
  readonly declinesAreFinal?: boolean | undefined;
};

export type UserPlan = {
  /** What the payer reads on the statement: 1 to 40 characters. */
  readonly name: string;
  /** Price of a period in major units as written: `9900` KRW, `'9.90'` USD. Above zero. */
  readonly amount: number | string;
  /** ISO 4217 code in upper case. */
  readonly currency: string;
  readonly interval: Interval;
  /** Intervals in a period: 1 to 1,000. Default 1. */
  readonly intervalCount?: number | undefined;
  /** Name of a policy under `dunning`. Default `default`. */
  readonly policy?: string | undefined;
  /** The most that a `beforeCharge` hook may make of a charge, in major units. Default the amount: hooks only lower it. */
  readonly maxAmount?: number | string | undefined;
};

/** What is left out is as shipped: `maedal policy default` prints what that leads to. */
export type UserPolicy = {
  /**
   * When a declined charge is tried again: at most 20 days after the due date, rising, 1 to 365, then any number of
   * `'payday'`: the next of `paydays` after the try before. Default 1, 3, 5.
   */
  readonly retryAfterDays?: readonly Rung[] | undefined;
  /**
   * Hours between two attempts of one invoice on one card, also after an outage: up to 720, and no less than the longest
   * `quarantineSeconds`. Default 24.
   */
  readonly minGapHours?: number | undefined;
  /** Days of the month, 1 to 31; one that a month lacks is its last day. Default 10, 25. */
  readonly paydays?: readonly number[] | undefined;
  /** The local time in which retries are made, within 01:00 to 23:00. Default 09:00 to 21:00; null for all of that. */
  readonly window?: UserWindow | null | undefined;
  /** Retries are spread over so many minutes, always the same for one invoice: up to 240. Default 10. */
  readonly jitterMinutes?: number | undefined;
  /** At most so many declines on one card in so many days, across invoices. Default 20 in 30; null for no cap. */
  readonly perCard?: { readonly declines?: number | undefined; readonly days?: number | undefined } | null | undefined;
  /** Days after the last attempt for which another card is waited for once none is left to try: up to 365. Default 7. */
  readonly waitForCardDays?: number | undefined;
  /**
   * What differs for a class of declines. Shipped: `card`, `key` and `fraud` never try that card again; `funds` and `other`
   * try the payer's other cards first; `other` climbs two rungs only.
   */
  readonly classes?: Readonly<Partial<Record<DeclineClass, UserRule | undefined>>> | undefined;
  /**
   * What is told (`dunning.step_entered`), and how access changes, on days after the due date on which an invoice is still
   * unpaid: at most 20, rising. Default none: access is `grace` from the first decline to the end.
   */
  readonly steps?: readonly UserStep[] | undefined;
  /** What becomes of the subscription whose invoice is given up. Default `unpaid`. */
  readonly end?: SubscriptionEnd | undefined;
  /**
   * What its later periods do where that is `unpaid`: `hold` (default) has them wait until it has recovered, and then go as
   * `catchUp` says; `accumulate` keeps it past due, and collects them as they fall due.
   */
  readonly later?: LaterInvoices | undefined;
};

/** `HH:mm`, `until` excluded, in this zone; left out, in that of the configuration. */
type UserWindow = {
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  readonly timezone?: string | undefined;
};

type UserStep = {
  readonly name: string;
  /** 0 to 365, and no later than the policy ends. */
  readonly afterDays: number;
  readonly access?: Access | undefined;
};

type UserRule = {
  readonly retryAfterDays?: readonly Rung[] | undefined;
  /** `same`: that card alone. `next`: the payer's other cards first. `other`: never that card again. */
  readonly card?: CardChoice | undefined;
};

/** Of a decline's class alone; whether its card is blocked for today, the company says. */
export type UserDeclines = {
  /** Class by code, as the company writes it in brackets: `{ '2116': 'funds' }`. */
  readonly codes?: Readonly<Record<string, DeclineClass>> | undefined;
  /**
   * Class by a part of the text, 2 to 100 characters, spaces not counted: `{ 한도초과: 'funds' }`. Codes go first, and a
   * longer part before a shorter one.
   */
  readonly texts?: Readonly<Record<string, DeclineClass>> | undefined;
};

type UserWebhooks = {
  /**
   * The console's address as PortOne can reach it, an https origin such as `https://billing.example.com`: each charge then
   * asks for its webhook at `/webhooks/portone` there. Left out, PortOne calls what its own console says.
   */
  readonly publicUrl?: string | undefined;
  /**
   * Where webhooks are taken from: `anywhere` (default), `portone` for the three addresses that PortOne publishes, or up to
   * 100 addresses and networks (`203.0.113.7`, `10.0.0.0/8`).
   */
  readonly from?: 'anywhere' | 'portone' | readonly string[] | undefined;
  /** Proxies of your own in front of the console, up to 100 addresses and networks: their `X-Forwarded-For` is believed. */
  readonly trustedProxies?: readonly string[] | undefined;
};

export type UserLimits = {
  /** Charges in flight at once in one worker process: 1 to 200. They wait for the gateway, not for this machine. Default 50. */
  readonly concurrency?: number | undefined;
  /** Seconds that a worker holds an attempt before its charge is sent: 5 to 600, in `live` at least 90. Default 90. */
  readonly leaseSeconds?: number | undefined;
  /** Seconds after which an attempt that was rung and not taken is rung again: 5 to 3,600. Default 120. */
  readonly reRingSeconds?: number | undefined;
  /**
   * Largest share of the last 50 charges that may be without an answer, 0.02 to 1; above it charging stops but for one
   * probe a minute, and look-ups go on. Default 0.2; 1 never stops.
   */
  readonly maxUnknownShare?: number | undefined;
  /** Largest charge by currency, in minor units: `{ KRW: 1_000_000 }`. Default null, no limit. */
  readonly maxAmount?: Readonly<Record<string, number>> | null | undefined;
};
