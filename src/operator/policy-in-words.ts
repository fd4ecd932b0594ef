import { DateTime } from 'luxon';
import { DECLINE_CLASSES, type DeclineClass } from '../billing/charge.ts';
import type { Ending } from '../billing/ending.ts';
import { WRITTEN_OFF } from '../billing/invoice.ts';
import { ladderOf } from '../billing/ladder.ts';
import { type ClassRule, type DunningPolicy, type Rung, ruleFor } from '../billing/policy.ts';

/** A policy as a person would say it, one sentence a line; classes that are treated alike stand together. */
export function policyInWords(policy: DunningPolicy): string[] {
  if (policy.classes === undefined) {
    return [`After a decline: ${again(policy.retryAfterDays)}, at least ${gap(policy)}.`, ends(policy)];
  }
  const rules = alike((declined) => ruleInWords(ruleFor(policy, declined)));
  const says = rules.map(([rule, classes]) => `After a decline for ${classes.join(', ')}: ${rule}.`);
  return [...says, ...bounds(policy), ends(policy)];
}

/** How an invoice ends and what becomes of its subscription, as a person would say it. */
export function endInWords({ state, reason, subscription }: Ending): string {
  const writtenOff = reason === WRITTEN_OFF ? ' and written off' : '';
  return `it is ${state}${writtenOff}, and ${becomesInWords(subscription)}`;
}

/** What is said of classes, and of which ones, in the order of the first of each. */
function alike(inWords: (declined: DeclineClass) => string): readonly (readonly [string, readonly DeclineClass[]])[] {
  const classes = new Map<string, DeclineClass[]>();
  for (const name of DECLINE_CLASSES) {
    const says = inWords(name);
    classes.set(says, [...(classes.get(says) ?? []), name]);
  }
  return [...classes];
}

/** Says how it ends for funds, and for which classes otherwise. */
function ends(policy: DunningPolicy): string {
  const usual = endOf(policy, 'funds');
  const others = alike((declined) => endOf(policy, declined)).filter(([says]) => says !== usual);
  const otherwise = others.map(([says, classes]) => `; where the last decline is for ${classes.join(', ')}, ${says}`);
  return `Then ${usual}${otherwise.join('')}.`;
}

function endOf(policy: DunningPolicy, declined: DeclineClass): string {
  const of = { dueAt: DateTime.utc(2027), declined, cards: 1, declinesAreFinal: true, seed: null };
  const { endsAs, end, subscription } = ladderOf(policy, of);
  return endInWords({ state: endsAs, reason: end, subscription });
}

function ruleInWords({ card, retryAfterDays }: ClassRule): string {
  switch (card) {
    case 'other':
      return 'never that card again; another one at once, or it waits for one';
    case 'next':
      return `another card of the payer’s at once, and ${again(retryAfterDays)}`;
    case 'same':
      return again(retryAfterDays);
  }
}

function again(rungs: readonly Rung[]): string {
  if (rungs.length === 0) return 'never again';
  const days = rungs.filter((rung) => rung !== 'payday');
  const paydays = rungs.length - days.length;
  const after =
    days.length === 0 ? '' : ` ${days.join(', ')} ${days.join() === '1' ? 'day' : 'days'} after the due date`;
  if (paydays === 0) return `again${after}`;
  return `again${after}${after === '' ? '' : ','} on ${paydays === 1 ? 'the next payday' : `the next ${paydays} paydays`}`;
}

function bounds(policy: DunningPolicy): string[] {
  const { window = null, waitForCardDays = 0, perCard = null, steps = [] } = policy;
  const when = window === null ? '' : `, from ${window.from} to ${window.until} in ${window.timezone}`;
  const waits = waitForCardDays === 0 ? '' : ` Another card is waited for ${waitForCardDays} days.`;
  const cap = perCard === null ? '' : ` A card is declined at most ${perCard.declines} times in ${perCard.days} days.`;
  const named = steps.map(
    ({ name, afterDays, access }) => `${name} on day ${afterDays}${access === undefined ? '' : ` (${access})`}`,
  );
  return [
    `At least ${gap(policy)}${when}.${waits}${cap}`,
    ...(named.length === 0 ? [] : [`Steps: ${named.join(', ')}.`]),
  ];
}

function gap({ minGapHours: hours }: DunningPolicy): string {
  return `${duration(hours)} after the last attempt on a card`;
}

function duration(hours: number): string {
  if (Number.isInteger(hours)) return `${hours} hours`;
  const minutes = Math.round(hours * 60);
  return minutes === 1 ? '1 minute' : `${minutes} minutes`;
}

/** What becomes of a subscription whose invoice ended, as a person would say it. */
export function becomesInWords(subscription: Ending['subscription']): string {
  return `the subscription ${BECOMES[subscription]}`;
}

const BECOMES: Readonly<Record<Ending['subscription'], string>> = {
  past_due: 'stays past due',
  accumulate: 'stays past due',
  unpaid: 'is unpaid',
  pause: 'is paused',
  cancel: 'is canceled',
  write_off: 'goes on',
};
