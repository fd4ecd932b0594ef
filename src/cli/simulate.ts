import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { DateTime } from 'luxon';
import { importWithCards } from '../app/stand-in-cards.ts';
import { InputError } from '../billing/errors.ts';
import { resolveSimulated } from '../config/simulated.ts';
import { fillTemplate } from '../operator/import/template.ts';
import { PACKAGE } from '../own-files.ts';
import { lineOf } from '../simulate/line.ts';
import { withOwnServer } from '../simulate/server.ts';
import { simulate } from '../simulate/simulate.ts';
import type { Outage } from '../simulate/stage.ts';
import { summarize } from '../simulate/summary.ts';
import type { Context } from './context.ts';
import { dayOf } from './day.ts';
import { fewReports } from './few-reports.ts';
import { renderSummary } from './simulation-report.ts';
import { urlHooks, withoutUrlHooks } from './url-hooks.ts';

type Options = {
  readonly from: string;
  readonly until: string;
  readonly import?: string;
  readonly config?: string;
  readonly outage: readonly string[];
};

export function simulateCommand(program: Command, context: Context): void {
  program
    .command('simulate')
    .description('play months of billing in minutes, on a clock, a database and a sandbox of its own')
    .requiredOption('--from <date>', 'first day, or an instant such as 2027-01-31T10:00+09:00')
    .requiredOption('--until <date>', 'the day after the last')
    .option('--import <file>', 'subscriptions, as for `maedal import`; left out, the example subscribers')
    .option('--config <file>', 'a configuration file; left out, the one that other commands use')
    .addOption(
      new Option('--outage <span>', 'FROM/UNTIL in which all processes are down; may be given again')
        .argParser((text, all: readonly string[]) => [...all, text])
        .default([], 'none'),
    )
    .action(async (options: Options) => run(options, context, program.opts().json === true));
}

async function run(options: Options, context: Context, asJson: boolean): Promise<void> {
  const config = await resolveSimulated({ file: options.config === undefined ? null : resolve(options.config) });
  const { timezone } = config;
  const span = spanOf(options.from, options.until, timezone);
  const outages = options.outage.map((text) => outageOf(text, timezone));
  const report = fewReports(config);
  const simulation = await withOwnServer(report, (serverUrl) =>
    withSubscribers(options.import, span.from, timezone, (file) =>
      simulate({
        ...{ config, serverUrl, ...span, outages, report, stopped: context.stopped },
        fill: (app) => importWithCards(app, file),
      }),
    ),
  );
  if (context.stopped.aborted) throw new Error('stopped before its end');
  const summary = summarize(simulation, { ...span, timezone });
  if (!asJson) return context.print(withoutUrlHooks(renderSummary(summary, timezone), config));
  for (const attempt of simulation.attempts) context.print(JSON.stringify(lineOf(attempt)));
  context.print(JSON.stringify({ summary: { ...summary, unasked_hooks: urlHooks(config) } }));
}

/** The file named, or the example merchant's subscribers with dates around the first day. */
async function withSubscribers<Result>(
  named: string | undefined,
  from: DateTime,
  timezone: string,
  work: (file: string) => Promise<Result>,
): Promise<Result> {
  if (named !== undefined) return work(named);
  const directory = await mkdtemp(join(tmpdir(), 'maedal-simulate-'));
  try {
    const file = join(directory, 'example-subscribers.csv');
    await writeFile(file, fillTemplate(await readFile(TEMPLATE, 'utf8'), from, timezone));
    return await work(file);
  } finally {
    await rm(directory, { recursive: true });
  }
}

function spanOf(from: string, until: string, timezone: string): { readonly from: DateTime; readonly until: DateTime } {
  const span = { from: dayOf('--from', from, timezone), until: dayOf('--until', until, timezone) };
  if (span.from < span.until) return span;
  throw new InputError(`--from ${from} is not before --until ${until}`, 'name an earlier day');
}

function outageOf(text: string, timezone: string): Outage {
  const [first = '', last = '', ...rest] = text.split('/');
  const [from, until] = [dayOf('--outage', first, timezone), dayOf('--outage', last, timezone)];
  if (rest.length === 0 && from < until) return { fromMs: from.toMillis(), untilMs: until.toMillis() };
  throw new InputError(`--outage is '${text}'`, 'write FROM/UNTIL, such as 2027-02-09/2027-02-12');
}

const TEMPLATE = new URL('examples/subscribers.template.csv', PACKAGE);
