import { DateTime } from 'luxon';
import { assertNever } from './errors.ts';
import type { BeforeChargeAnswer, OnError } from './hook.ts';

/** What a before-hook said, or why it said nothing usable and what that comes to. */
export type HookSaid =
  | BeforeChargeAnswer
  | { readonly kind: 'failed'; readonly reason: string; readonly onError: OnError; readonly failures: number };

/** What is charged, as the hooks so far have it. Amounts in minor units. */
export type Charged = {
  readonly amountMinor: number;
  readonly taxFreeMinor: number;
  readonly vatMinor: number | null;
  readonly name: string;
  readonly customData: Readonly<Record<string, unknown>> | null;
};

/** How an attempt stands when a before-hook has answered. */
export type HookStanding = Charged & {
  readonly hook: string;
  /** Whether it was sent for before: then its amount may be kept or lowered. */
  readonly wasSent: boolean;
  /** The most that an answer may make of the amount. */
  readonly ceilingMinor: number;
  /** For how long hooks have put its invoice off so far. */
  readonly deferredSeconds: number;
  readonly now: DateTime;
};

/** What follows: on to the next hook, or an end before anything is sent. */
export type HookDecision =
  | { readonly kind: 'go'; readonly charged: Charged }
  | { readonly kind: 'withdrawn'; readonly to: 'held' | 'waived'; readonly reason: string }
  | { readonly kind: 'deferred'; readonly until: DateTime; readonly reason: string; readonly seconds: number };

/**
 * Decides what a before-hook's answer comes to. Pure. Above the ceiling nothing is charged; what was sent
 * for once keeps its amount or lowers it; all hooks together put an invoice off for seven days at most, and then a person looks.
 */
export function decideBefore(said: HookSaid, standing: HookStanding): HookDecision {
  switch (said.kind) {
    case 'proceed':
      return { kind: 'go', charged: standing };
    case 'adjust':
      return adjusted(said, standing);
    case 'skip':
      return withdrawn('waived', standing, said.reason);
    case 'defer':
      return deferred(DateTime.fromISO(said.until, { zone: 'utc' }), standing, 'defers it');
    case 'hold':
      return withdrawn('held', standing, said.reason);
    case 'failed':
      return afterFailure(said, standing);
    default:
      return assertNever(said);
  }
}

function adjusted(said: Extract<HookSaid, { kind: 'adjust' }>, standing: HookStanding): HookDecision {
  const wanted = said.amount ?? standing.amountMinor;
  const amountMinor = standing.wasSent ? Math.min(wanted, standing.amountMinor) : wanted;
  const { ceilingMinor } = standing;
  if (amountMinor > ceilingMinor) {
    return withdrawn('held', standing, `it asks for ${amountMinor}, and its plan allows ${ceilingMinor} at most`);
  }
  if (amountMinor === 0) return withdrawn('waived', standing, 'there is nothing to charge');
  const isChanged = amountMinor !== standing.amountMinor;
  const taxFreeMinor = said.taxFree ?? Math.min(standing.taxFreeMinor, amountMinor);
  const vatMinor = said.vat === undefined ? (isChanged ? null : standing.vatMinor) : said.vat;
  if (taxFreeMinor + (vatMinor ?? 0) > amountMinor) {
    return withdrawn('held', standing, `its tax is more than the amount, ${amountMinor}`);
  }
  const { name = standing.name, customData = standing.customData } = said;
  return { kind: 'go', charged: { amountMinor, taxFreeMinor, vatMinor, name, customData } };
}

function afterFailure(
  { reason, onError, failures }: Extract<HookSaid, { kind: 'failed' }>,
  standing: HookStanding,
): HookDecision {
  if (onError === 'proceed') return { kind: 'go', charged: standing };
  if (onError === 'block') return withdrawn('held', standing, reason);
  const minutes = Math.min(2 ** Math.min(failures, 20), LONGEST_WAIT_MINUTES);
  return deferred(standing.now.plus({ minutes }), standing, reason);
}

/** Until then, or until its seven days are over; once they are, a person looks. */
function deferred(until: DateTime, standing: HookStanding, reason: string): HookDecision {
  const left = A_WEEK_SECONDS - standing.deferredSeconds;
  if (left <= 0) return withdrawn('held', standing, `put off for seven days in all: ${reason}`);
  const asked = Math.ceil(until.diff(standing.now).as('seconds'));
  const seconds = Math.min(Math.max(asked, SHORTEST_WAIT_SECONDS), left);
  return { kind: 'deferred', until: standing.now.plus({ seconds }), reason: told(standing, reason), seconds };
}

function withdrawn(to: 'held' | 'waived', standing: HookStanding, reason: string): HookDecision {
  return { kind: 'withdrawn', to, reason: told(standing, reason) };
}

function told({ hook }: HookStanding, reason: string): string {
  return `hook ${hook}: ${reason}`;
}

const A_WEEK_SECONDS = 604_800;
/** A failing hook is asked after 1, 2, 4 … minutes, and every six hours in the end. */
const LONGEST_WAIT_MINUTES = 360;
const SHORTEST_WAIT_SECONDS = 60;
