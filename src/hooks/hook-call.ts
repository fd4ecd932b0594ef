import type { HookPoint } from '../billing/hook.ts';

/** One call of one hook. */
export type HookCall = {
  readonly point: HookPoint;
  readonly name: string;
  /** Stands for what is asked about, however often it is: an idempotency key, or an event's id. */
  readonly key: string;
  /** JSON text of the context. */
  readonly payload: string;
  readonly timeoutMs: number;
};

/**
 * What came of a call. `undone`: nothing can be said of this hook, because its thread ended or stood still for the sake of
 * another one, or none was free: it is asked again in a few seconds, and no failure is counted.
 */
export type HookAnswer =
  | { readonly kind: 'answered'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'undone'; readonly reason: string };

/** What goes to a thread. */
export type ToThread =
  | ({ readonly kind: 'call'; readonly id: number } & Pick<HookCall, 'point' | 'name' | 'payload'>)
  | { readonly kind: 'abort'; readonly id: number };

/** What comes from a thread. Answers are JSON text of a bounded length: no object of the merchant's enters our heap. */
export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'unusable'; readonly reason: string }
  | { readonly kind: 'answer'; readonly id: number; readonly json: string }
  | { readonly kind: 'failure'; readonly id: number; readonly reason: string }
  | { readonly kind: 'line'; readonly hook: string; readonly level: LogLevel; readonly text: string };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Longest answer, in bytes of JSON. */
export const ANSWER_BYTES = 65_536;
