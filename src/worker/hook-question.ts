import type { DateTime } from 'luxon';
import type { Charged, HookDecision, HookSaid } from '../billing/before-charge.ts';
import type { BeforeCharge } from '../billing/hook.ts';
import { readBeforeAnswer } from '../hooks/before-answer.ts';
import type { HookAnswer } from '../hooks/hook-call.ts';
import type { BeforeFile } from '../store/hook-answers.ts';
import type { LeasedAttempt } from '../store/lease.ts';
import type { BeforeDeps, BeforeHook } from './before-deps.ts';

/** What of an attempt a before-hook is asked about. */
export type AskedAttempt = Pick<
  LeasedAttempt,
  'number' | 'now' | 'amount' | 'taxFreeMinor' | 'vatMinor' | 'name' | 'customData'
>;

/** How it stands when a hook has answered, without what that hook is. */
export function standingOf(
  attempt: AskedAttempt,
): Charged & { readonly attemptNumber: number; readonly now: DateTime } {
  const { amount, taxFreeMinor, vatMinor, name, customData, number, now } = attempt;
  return { amountMinor: amount.minor, taxFreeMinor, vatMinor, name, customData, attemptNumber: number, now };
}

/** The same attempt with what a hook has changed about it. */
export function changed<Attempt extends AskedAttempt>(
  attempt: Attempt,
  { charged }: Extract<HookDecision, { kind: 'go' }>,
): Attempt {
  const { taxFreeMinor, vatMinor, name, customData } = charged;
  const amount = { ...attempt.amount, minor: charged.amountMinor };
  return { ...attempt, amount, taxFreeMinor, vatMinor, name, customData };
}

/** The most that an answer may make of it: the price, or what its plan says; a later attempt keeps the amount or lowers it. */
export function ceilingOf(
  { ceilings }: Pick<BeforeDeps, 'ceilings'>,
  { about, priceMinor }: BeforeFile,
  attempt: AskedAttempt,
): number {
  if (attempt.number > 1) return attempt.amount.minor;
  return Math.max(priceMinor, ceilings[`${about.subscription.plan} ${attempt.amount.currency}`] ?? 0);
}

type Telling = { readonly hook: string; readonly ceilingMinor: number; readonly dryRun: boolean };

/** What a hook is told, with what the hooks before it have changed. */
export function contextOf(
  before: Pick<BeforeDeps, 'channel'>,
  { about, channel }: BeforeFile,
  attempt: AskedAttempt,
  { hook, ceilingMinor, dryRun }: Telling,
): BeforeCharge {
  const { amount, taxFreeMinor: taxFree, vatMinor: vat, name } = attempt;
  return {
    hook,
    idempotencyKey: `${about.attempt.merchantUid}:before`,
    dryRun,
    ...about,
    invoice: { ...about.invoice, amount: amount.minor, taxFree, vat, name, ceiling: ceilingMinor },
    channel: before.channel(channel),
  };
}

/** Reads an answer by the rules; one that breaks them is a failure. */
export function saidBy(
  { onError }: BeforeHook,
  answer: Exclude<HookAnswer, { kind: 'undone' }>,
  failures: number,
): HookSaid {
  if (answer.kind === 'failed') return { kind: 'failed', reason: answer.reason, onError, failures };
  const reply = readBeforeAnswer(answer.value);
  return reply.kind === 'refused' ? { kind: 'failed', reason: reply.reason, onError, failures } : reply.answer;
}

/** For all hooks of an attempt together. */
export const ALL_HOOKS_MS = 40_000;
