import type { DateTime } from 'luxon';
import type { Charged, HookDecision, HookSaid } from '../billing/before-charge.ts';
import type { BeforeCharge } from '../billing/hook.ts';
import { readBeforeAnswer } from '../hooks/before-answer.ts';
import type { HookAnswer } from '../hooks/hook-call.ts';
import type { BeforeFile } from '../store/hook-answers.ts';
import type { LeasedAttempt } from '../store/lease.ts';
import type { BeforeDeps, BeforeHook } from './before-deps.ts';

/** What of an attempt a before-hook is asked about. */
export type AskedAttempt = Pick<LeasedAttempt, 'now' | 'amount' | 'taxFreeMinor' | 'vatMinor' | 'name' | 'customData'>;

/** How it stands when a hook has answered, without what that hook is. */
export function standingOf(
  file: Pick<BeforeFile, 'about'>,
  attempt: AskedAttempt,
): Charged & { readonly wasSent: boolean; readonly now: DateTime } {
  const { amount, taxFreeMinor, vatMinor, name, customData, now } = attempt;
  return { amountMinor: amount.minor, taxFreeMinor, vatMinor, name, customData, wasSent: wasSent(file), now };
}

/** An earlier attempt that ended before it was sent asked nobody for any amount. */
function wasSent({ about }: Pick<BeforeFile, 'about'>): boolean {
  return about.previous.some(({ sentAt }) => sentAt !== null);
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

/** The most that an answer may make of it: the price, or what its plan says; what was sent for once, its amount. */
export function ceilingOf({ ceilings }: Pick<BeforeDeps, 'ceilings'>, file: BeforeFile, attempt: AskedAttempt): number {
  if (wasSent(file)) return attempt.amount.minor;
  const { about, priceMinor } = file;
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
    // Not the key of the charge: whoever knows that one from a rehearsal would give it the same answer.
    idempotencyKey: `${about.attempt.merchantUid}:before${dryRun ? ':dry' : ''}`,
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
