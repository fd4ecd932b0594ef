import { join } from 'node:path';
import { InputError } from '../../../src/billing/errors.ts';
import { ROOT } from '../../support/repository.ts';
import { firedIn, rareIn, shortcomings } from './demands.ts';
import { type Options, type Plan, parseOptions } from './options.ts';
import { passedIn } from './passed.ts';
import type { Report } from './report.ts';
import { writeReport } from './report-file.ts';
import { runCampaign } from './run-campaign.ts';

const say = (text: string) => void process.stdout.write(`${text}\n`);

/** A small run of nothing but failpoints and what they need, while some fired too rarely; a few times at most. */
function more(plans: readonly Plan[], reports: readonly Report[]): Plan | undefined {
  const rare = rareIn(reports);
  const last = plans.at(-1);
  const times = reports.length - plans.length + 1;
  if (rare.length === 0 || last === undefined || times > MOST_MORE) return undefined;
  say(`once more for ${rare.join(', ')}`);
  return { ...last, charges: 300, seed: last.seed + times, classes: ['gateway', 'failpoint', 'people'] };
}

async function runOne(plan: Plan, before: readonly Report[], options: Options): Promise<Report> {
  const { resume, keep } = options;
  const fired = Object.fromEntries(passedIn(plan).map((name) => [name, firedIn(before, name)]));
  return runCampaign({ plan, resume, keep, fired, main: join(ROOT, 'dist', 'main.js'), say });
}

async function keepRow(report: Report, { report: file }: Options): Promise<void> {
  if (file !== null) await writeReport(file, report);
}

const MOST_MORE = 3;

/** One run after the other, until one finds something. Later ones arm those failpoints first that fired least before. */
async function runAll(options: Options): Promise<boolean> {
  const reports: Report[] = [];
  const left = [...options.plans];
  for (;;) {
    if (reports.some(({ violations }) => violations.length > 0)) return false;
    const plan = left.shift() ?? more(options.plans, reports);
    if (plan === undefined) break;
    const report = await runOne(plan, reports, options);
    await keepRow(report, options);
    reports.push(report);
  }
  const short = shortcomings(reports);
  for (const shortcoming of short) say(shortcoming);
  return short.length === 0;
}

try {
  process.exitCode = (await runAll(parseOptions(process.argv.slice(2)))) ? 0 : 1;
} catch (error) {
  process.exitCode = error instanceof InputError ? 2 : 3; // 1 is for what the oracle found
  say(error instanceof InputError ? error.message : String(error instanceof Error ? error.stack : error));
}
