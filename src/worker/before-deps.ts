import type { HookDecision } from '../billing/before-charge.ts';
import type { BeforeCharge, OnError } from '../billing/hook.ts';
import type { HookAnswer } from '../hooks/hook-call.ts';
import type { BeforeFile, KeptAnswer } from '../store/hook-answers.ts';
import type { LeasedAttempt } from '../store/lease.ts';

/** A before-hook, whatever is behind its name. */
export type BeforeHook = { readonly name: string; readonly timeoutMs: number; readonly onError: OnError };

/** What is needed to ask the merchant before a charge. */
export type BeforeDeps = {
  /** In the order in which they are asked. */
  readonly hooks: readonly BeforeHook[];
  /** Calls a hook with the JSON text of its context. Never rejects. */
  readonly ask: (hook: BeforeHook, key: string, payload: string, timeoutMs: number) => Promise<HookAnswer>;
  readonly read: (attemptId: string, now: string) => Promise<BeforeFile>;
  readonly keep: (
    attempt: LeasedAttempt,
    said: { readonly hook: string; readonly answer: KeptAnswer; readonly decision: HookDecision },
    leaseSeconds: number,
  ) => Promise<boolean>;
  /** The most that hooks may make of a charge, by plan and currency, `basic KRW`; else that is its price. */
  readonly ceilings: Readonly<Record<string, number>>;
  readonly channel: (name: string) => BeforeCharge['channel'];
};
