import type { BeforeCharge, BeforeChargeAnswer, OnError } from '../billing/hook.ts';

/**
 * The merchant's code around a charge, in the order in which it is called. Names are unique over all hooks. Functions run
 * in threads that load this file each for itself, without maedal's secrets in their environment.
 */
export type UserHooks = {
  /** Asked before each attempt to charge: as it stands, changed, later, never. Together they take at most 40 s. */
  readonly beforeCharge?: readonly UserBeforeHook[] | undefined;
  /** Told of every charge that was answered, once or more; `event.id` stays the same. They change nothing about it. */
  readonly afterCharge?: readonly UserEventHook[] | undefined;
  /** Told when an unpaid invoice enters a step of its dunning policy. */
  readonly onDunningStep?: readonly UserEventHook[] | undefined;
  /** Told of every change of a subscription's status or access. */
  readonly onSubscriptionChange?: readonly UserEventHook[] | undefined;
  /** Told of what the subscriber should hear, by e-mail, SMS or Alimtalk. */
  readonly notify?: readonly UserEventHook[] | undefined;
};

/** A function or a URL that decides about a charge. */
export type UserBeforeHook = (HookFunction<BeforeChargeContext, BeforeChargeReply> | HookUrl) & {
  /** What a failure or a time-out comes to. Default `defer`: asked again, for at most 7 days, then held. */
  readonly onError?: OnError | undefined;
};

/** A function or a URL that is told of an event. What it answers is not looked at; if it fails it is told again. */
export type UserEventHook = HookFunction<EventContext, unknown> | HookUrl;

type Named = {
  /** 1 to 64 letters, digits, points and hyphens. Answers are kept under it: a hook of another name is asked anew. */
  readonly name: string;
  /** Milliseconds for one call: 100 to 40,000. Default 10,000. */
  readonly timeoutMs?: number | undefined;
};

type HookFunction<Context, Reply> = Named & {
  readonly run: (context: Context) => Reply | Promise<Reply>;
  readonly url?: undefined;
};

type HookUrl = Named & {
  /** Is POSTed the context as JSON, signed as Standard Webhooks has it, and answers the same as a function, as JSON. */
  readonly url: string;
  /** `whsec_…` or 24 to 128 characters; of several, while they are changed, all sign. */
  readonly secret: string | readonly string[];
  /**
   * Addresses that may be called although they are not public, as `10.0.3.7` or `10.0.0.0/8`; these also by http. Default
   * none: https to public addresses alone.
   */
  readonly allowAddresses?: readonly string[] | undefined;
  readonly run?: undefined;
};

/** What every function hook is handed beside its data. */
export type HookTools = {
  /** Aborted when the time limit has passed; shortly after, the thread is ended. */
  readonly signal: AbortSignal;
  /** Writes to maedal's log, with the hook's name. */
  readonly logger: HookLogger;
};

/** `fields` are written beside the message; both are cut at 4 KB. */
export type HookLogger = {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
};

/** What `beforeCharge` gets: frozen, the same as a URL is sent, and the tools of a function. */
export type BeforeChargeContext = BeforeCharge & HookTools;

/** What `beforeCharge` answers; a function may say `until` as a Date. */
export type BeforeChargeReply = BeforeChargeAnswer | { readonly kind: 'defer'; readonly until: Date };

/** Something that happened, told at least once. */
export type MaedalEvent = {
  /** The same however often it is told. */
  readonly id: string;
  /** `charge.succeeded`, `dunning.step_entered`, … */
  readonly type: string;
  /** When it happened: ISO 8601 in UTC. */
  readonly timestamp: string;
  /** Counted from 1 within its subscription; null where it is of none. */
  readonly sequence: number | null;
  readonly data: Readonly<Record<string, unknown>>;
};

/** What the other hooks get: frozen, the same as a URL is sent, and the tools of a function. */
export type EventContext = MaedalEvent & HookTools;
