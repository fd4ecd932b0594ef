import { type Command, Option } from 'commander';
import { DateTime } from 'luxon';
import { parseAnchor } from '../billing/anchor.ts';
import { periodAt } from '../billing/calendar.ts';
import { DECLINE_CLASSES, type DeclineClass } from '../billing/charge.ts';
import { InputError } from '../billing/errors.ts';
import { type Ladder, ladderOf } from '../billing/ladder.ts';
import { didYouMean } from '../billing/nearest-name.ts';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { type Context, prepare, printResult } from './context.ts';

type Options = { readonly class: DeclineClass; readonly due?: string };

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
    .action(async (name: string, options: Options) => {
      const { config } = await prepare();
      const printed = printedLadder(config, name, options);
      printResult(context, program.opts().json === true, printed.json, () => printed.text);
    });
}

function printedLadder(config: Config, name: string, { class: declined, due }: Options) {
  const policy = config.policies[name];
  if (policy === undefined) {
    const known = Object.keys(config.policies);
    throw new InputError(`there is no policy '${name}'${didYouMean(name, known)}`, `use ${known.join(' or ')}`);
  }
  const { timezone } = config;
  const today = DateTime.fromMillis(systemClock.nowMs(), { zone: timezone }).toISODate() ?? '';
  const anchorLocal = parseAnchor(due ?? today, timezone, config.chargeAt);
  const dueAt = periodAt({ anchorLocal, timezone, interval: 'day', intervalCount: 1 }, 0).startAt;
  const ladder = ladderOf(policy.dunning, dueAt, declined);
  const json = {
    policy: name,
    version: policy.version,
    class: declined,
    timezone,
    attempts: ladder.rungs.map(({ number, at, days }) => ({ number, at: at.toUTC().toISO(), days })),
    end: ladder.end,
  };
  return { json, text: render(ladder, { name, version: policy.version, declined, timezone }) };
}

type Heading = {
  readonly name: string;
  readonly version: string;
  readonly declined: string;
  readonly timezone: string;
};

function render({ rungs, end }: Ladder, { name, version, declined, timezone }: Heading): string {
  const lines = rungs.map(({ number, at, days }) => {
    const passed = Math.round(days * 10) / 10;
    const after = number === 1 ? 'when due' : `${passed} ${passed === 1 ? 'day' : 'days'} after`;
    return `  ${number}  ${at.setZone(timezone).toFormat('yyyy-LL-dd HH:mm ccc', { locale: 'en' })}  ${after}`;
  });
  return [
    `${name} (${version}), declined for ${declined}, in ${timezone}`,
    ...lines,
    `  then uncollectible: ${end}`,
  ].join('\n');
}
