import type { Command } from 'commander';
import type { DateTime } from 'luxon';
import { InputError } from '../billing/errors.ts';
import type { Config } from '../config/config.ts';
import { forecast } from '../simulate/forecast.ts';
import { lineOf } from '../simulate/line.ts';
import { withOwnServer } from '../simulate/server.ts';
import { pending } from '../store/migrate.ts';
import { type Context, withDatabaseUrl } from './context.ts';
import { dayOf } from './day.ts';
import { fewReports } from './few-reports.ts';
import { renderForecast, whyOf } from './forecast-report.ts';
import { withoutUrlHooks } from './url-hooks.ts';

export function forecastCommand(program: Command, context: Context): void {
  program
    .command('forecast')
    .description('list what will be charged, when and why, if every card is charged; writes nothing')
    .requiredOption('--until <date>', 'the day after the last')
    .action(async ({ until }: { until: string }) => {
      const asJson = program.opts().json === true;
      await withDatabaseUrl((url, config) =>
        print(context, asJson, { url, config, until: dayOf('--until', until, config.timezone) }),
      );
    });
}

async function print(
  context: Context,
  asJson: boolean,
  { url, config, until }: { readonly url: string; readonly config: Config; readonly until: DateTime },
): Promise<void> {
  const missing = await pending(url);
  if (missing.length > 0) throw new InputError(`the database lacks ${missing.join(', ')}`, 'run `maedal migrate`');
  const report = fewReports(config);
  const { from, attempts, switchedOff } = await withOwnServer(report, (serverUrl) =>
    forecast({ config, serverUrl, liveUrl: url, until, report, stopped: context.stopped }),
  );
  if (context.stopped.aborted) throw new Error('stopped before its end');
  if (!asJson) {
    const span = { from, until, timezone: config.timezone };
    return context.print(withoutUrlHooks(renderForecast(attempts, { ...span, switchedOff }), config));
  }
  for (const attempt of attempts) context.print(JSON.stringify({ ...lineOf(attempt), why: whyOf(attempt, from) }));
}
