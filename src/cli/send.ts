import { Argument, type Command, InvalidArgumentError } from 'commander';
import type { App } from '../app.ts';
import { FenceError } from '../billing/errors.ts';
import { isoInstant } from '../operator/instant.ts';
import { printable } from '../operator/printable.ts';
import { readSending, type Said, stopSending } from '../store/control.ts';
import { resumeSending, type SendingAlarm } from '../store/sending-alarms.ts';
import { actor } from './actor.ts';
import { type Context, printResult, withApp } from './context.ts';
import { demandOurs } from './ours.ts';
import { parseReason } from './reason.ts';

type Options = { readonly reason: string; readonly acknowledge?: number };

export function sendCommand(program: Command, context: Context): void {
  program
    .command('send')
    .description(
      'stop all charges at once, or let them go again; `on` lists the alarms of audits and clocks that stand',
    )
    .addArgument(new Argument('<state>', 'on or off').choices(['on', 'off']))
    .requiredOption('--reason <text>', 'why, for the audit', parseReason)
    .option(
      '--acknowledge <number>',
      'with `on`: all alarms up to this one, which `on` has listed, are settled',
      parseNumber,
    )
    .action(async (state: 'on' | 'off', options: Options) => {
      const said = { actor: actor(), reason: options.reason };
      const result = await withApp('maedal/send', (app) =>
        state === 'off' ? switchOff(app, said) : switchOn(app, said, options.acknowledge ?? null),
      );
      const acknowledged = result.acknowledged.map(({ raisedAt, ...alarm }) => ({
        ...alarm,
        raised_at: isoInstant(raisedAt),
      }));
      printResult(context, program.opts().json === true, { ...result, acknowledged }, () => render(result));
    });
}

type Switched = {
  readonly sending: 'on' | 'off';
  readonly changed: boolean;
  readonly before: string | null;
  readonly acknowledged: readonly SendingAlarm[];
};

async function switchOff({ db }: App, said: Said): Promise<Switched> {
  const { reason: before } = await readSending(db);
  return { sending: 'off', changed: await stopSending(db, said), before, acknowledged: [] };
}

/** Throws FenceError while alarms stand beyond the one that was named, and lists them. */
async function switchOn(app: App, said: Said, acknowledging: number | null): Promise<Switched> {
  const { db } = app;
  const before = await readSending(db);
  await demandOurs(app);
  const resumed = await resumeSending(db, said, acknowledging);
  if (resumed.kind === 'refused') throw refusal(resumed.standing);
  return { sending: 'on', changed: !before.enabled, before: before.reason, acknowledged: resumed.acknowledged };
}

function refusal(standing: readonly SendingAlarm[]): FenceError {
  const shown = standing.slice(-MAX_SHOWN);
  const more = standing.length - shown.length;
  const lines = [
    'sending stays off: nobody has taken this for settled so far',
    ...(more === 0 ? [] : [`  and ${more} before it; \`maedal reconcile\` lists them`]),
    ...shown.map(line),
    '',
  ];
  return new FenceError(
    lines.join('\n'),
    `look into each (\`maedal reconcile\`, \`maedal doctor\`); once all are settled, say it again with --acknowledge ${standing.at(-1)?.number}`,
  );
}

function line({ number, raisedAt, reason }: SendingAlarm): string {
  return printable(`  ${number}  ${isoInstant(raisedAt)}  ${reason}`);
}

function render({ sending, changed, before, acknowledged }: Switched): string {
  if (sending === 'off')
    return changed
      ? 'sending is off: nothing leaves from now on'
      : `sending was off already: ${before ?? 'no reason given'}`;
  const says = changed ? `sending is on; it was off: ${before ?? 'no reason was given'}` : 'sending is on';
  return acknowledged.length === 0 ? says : [says, 'taken for settled:', ...acknowledged.map(line)].join('\n');
}

function parseNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new InvalidArgumentError('it is the number of an alarm, as `send on` lists it');
  return Number(text);
}

const MAX_SHOWN = 20;
