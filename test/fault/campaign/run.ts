import { join } from 'node:path';
import { InputError } from '../../../src/billing/errors.ts';
import { FAILPOINTS } from '../../../src/failpoints.ts';
import { ROOT } from '../../support/repository.ts';
import { firedIn, rareIn, shortcomings } from './demands.ts';
import { type Options, type Plan, parseOptions } from './options.ts';
import type { Report } from './report.ts';
import { writeReport } from './report-file.ts';
import { runCampaign } from './run-campaign.ts';

const say = (text: string) => void process.stdout.write(`${text}\n`);

/** A small run of nothing but failpoints and what they need, while some fired too rarely; a few times at most. */
function more(last: Plan, reports: readonly Report[], planned: number): Plan | undefined {
  const rare = rareIn(reports);
  if (rare.length === 0 || reports.length >= planned + MOST_MORE) return undefined;
  say(`once more for ${rare.join(', ')}`);
  return { ...last, charges: 300, seed: last.seed + 1, classes: ['gateway', 'failpoint', 'people'] };
}

const MOST_MORE = 4;

/** One run after the other, until one finds something. Later ones arm those failpoints first that fired least before. */
async function runAll({ plans, resume, keep, report: file }: Options): Promise<boolean> {
  const reports: Report[] = [];
  const left = [...plans];
  for (let plan = left.shift(); plan !== undefined; plan = left.shift() ?? more(plan, reports, plans.length)) {
    const fired = Object.fromEntries(FAILPOINTS.map((name) => [name, firedIn(reports, name)]));
    const report = await runCampaign({ plan, resume, keep, fired, main: join(ROOT, 'dist', 'main.js'), say });
    if (file !== null) await writeReport(file, report);
    if (report.violations.length > 0) return false;
    reports.push(report);
  }
  const short = shortcomings(reports);
  for (const shortcoming of short) say(shortcoming);
  return short.length === 0;
}

try {
  process.exitCode = (await runAll(parseOptions(process.argv.slice(2)))) ? 0 : 1;
} catch (error) {
  process.exitCode = error instanceof InputError ? 2 : 1;
  say(error instanceof InputError ? error.message : String(error instanceof Error ? error.stack : error));
}
