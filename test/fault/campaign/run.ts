import { join } from 'node:path';
import { InputError } from '../../../src/billing/errors.ts';
import { FAILPOINTS } from '../../../src/failpoints.ts';
import { ROOT } from '../../support/repository.ts';
import { firedIn, shortcomings } from './demands.ts';
import { type Options, parseOptions } from './options.ts';
import type { Report } from './report.ts';
import { writeReport } from './report-file.ts';
import { runCampaign } from './run-campaign.ts';

const say = (text: string) => void process.stdout.write(`${text}\n`);

/** One run after the other, until one finds something. Later ones arm those failpoints first that fired least before. */
async function runAll({ plans, resume, keep, report: file }: Options): Promise<boolean> {
  const reports: Report[] = [];
  for (const plan of plans) {
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
