import { type Command, InvalidArgumentError, Option } from 'commander';
import { DateTime } from 'luxon';
import { parseAnchor } from '../billing/anchor.ts';
import { periodAt } from '../billing/calendar.ts';
import { DECLINE_CLASSES, type DeclineClass } from '../billing/charge.ts';
import { InputError } from '../billing/errors.ts';
import { type Ladder, ladderOf } from '../billing/ladder.ts';
import type { DunningPolicy } from '../billing/policy.ts';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { didYouMean } from '../nearest-name.ts';
import { becomesInWords } from '../operator/policy-in-words.ts';
import { type Context, prepare, printResult } from './context.ts';

type Options = { readonly class: DeclineClass; readonly due?: string; readonly cards: number };

export function policyCommand(program: Command, context: Context): void {
  program
    .command('policy')
    .description('print when a policy tries again, with local times, if every attempt is declined')
    .argument('<name>', 'a name under `dunning`, or default')
    .addOption(new Option('--class <class>', 'why it is declined').choices(DECLINE_CLASSES).default('funds'))
    .option(
      '--due <date>',
      'when the invoice falls due, in the configured zone; a date alone at `chargeAt`; left out, today',
    )
    .addOption(new Option('--cards <count>', 'how many cards the payer has').argParser(cardsIn).default(1))
    .action(async (name: string, options: Options) => {
      const { config } = await prepare();
      const printed = printedLadder(config, name, options);
      printResult(context, program.opts().json === true, printed.json, () => printed.text);
    });
}

function cardsIn(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 20)
    throw new InvalidArgumentError('write a number from 1 to 20');
  return count;
}

function printedLadder(config: Config, name: string, { class: declined, due, cards }: Options) {
  const policy = config.policies[name];
  if (policy === undefined) {
    const known = Object.keys(config.policies);
    throw new InputError(`there is no policy '${name}'${didYouMean(name, known)}`, `use ${known.join(' or ')}`);
  }
  const { timezone } = config;
  const { dunning, version } = policy;
  const today = DateTime.fromMillis(systemClock.nowMs(), { zone: timezone }).toISODate() ?? '';
  const anchorLocal = parseAnchor(due ?? today, timezone, config.chargeAt);
  const dueAt = periodAt({ anchorLocal, timezone, interval: 'day', intervalCount: 1 }, 0).startAt;
  const ladder = ladderOf(dunning, {
    dueAt,
    declined,
    cards,
    declinesAreFinal: config.channels.default?.declinesAreFinal ?? true,
    seed: null,
  });
  const json = {
    policy: name,
    version,
    class: declined,
    timezone,
    attempts: ladder.rungs.map(({ number, at, days, card }) => ({ number, at: at.toUTC().toISO(), days, card })),
    steps: ladder.steps.map(({ name, at, access }) => ({ name, at: at.toUTC().toISO(), access })),
    jitter_minutes: ladder.jitter.minutes,
    awaits_card_until: ladder.awaitsUntil?.toUTC().toISO() ?? null,
    ends_as: ladder.endsAs,
    end: ladder.end,
    subscription: ladder.subscription,
  };
  return { json, text: render(ladder, { name, version, declined, timezone, cards, dunning }) };
}

type Heading = {
  readonly name: string;
  readonly version: string;
  readonly declined: string;
  readonly timezone: string;
  readonly cards: number;
  readonly dunning: DunningPolicy;
};

function render(ladder: Ladder, { name, version, declined, timezone, cards, dunning }: Heading): string {
  const { rungs, steps, awaitsUntil, end, endsAs, subscription } = ladder;
  const local = (at: DateTime) => at.setZone(timezone).toFormat('yyyy-LL-dd HH:mm ccc', { locale: 'en' });
  const tries = rungs.map(({ number, at, days, card }) => {
    const on = cards > 1 ? `, card ${card}` : '';
    return { at, line: `  ${number}  ${local(at)}  ${after(number, days)}${on}` };
  });
  const entered = steps.map(({ name: step, at, access }) => {
    const leaves = access === null ? '' : `, access ${access}`;
    return { at, line: `     ${local(at)}  step ${step}${leaves}` };
  });
  // A step is entered after the tries of its instant, and the order of equals is kept.
  const lines = [...tries, ...entered].sort((one, other) => one.at.toMillis() - other.at.toMillis());
  const waits = awaitsUntil === null ? [] : [`  until ${local(awaitsUntil)} another card is waited for`];
  return [
    `${name} (${version}), declined for ${declined}, in ${timezone}`,
    ...lines.map(({ line }) => line),
    ...(declined === 'verify' ? ['  each is looked up until the horizon; declined only then'] : []),
    ...spread(ladder, dunning),
    ...waits,
    `  then ${endsAs}: ${end}; ${becomesInWords(subscription)}`,
  ].join('\n');
}

function spread({ rungs, jitter: { minutes, room } }: Ladder, { window }: DunningPolicy): string[] {
  if (minutes === 0 || rungs.length === 1) return [];
  const isBounded = room === 'short' && window !== null && window !== undefined;
  const bound = isBounded ? `, and none from ${window.until} on` : '';
  return [`  each retry up to ${minutes} minutes later${bound}`];
}

function after(number: number, days: number): string {
  if (number === 1) return 'when due';
  if (days === 0) return 'at once';
  const passed = Math.round(days * 10) / 10;
  return `${passed} ${passed === 1 ? 'day' : 'days'} after`;
}
