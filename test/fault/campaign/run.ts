import { join } from 'node:path';
import { InputError } from '../../../src/billing/errors.ts';
import { ROOT } from '../../support/repository.ts';
import { parseOptions } from './options.ts';
import { runCampaign } from './run-campaign.ts';

const say = (text: string) => void process.stdout.write(`${text}\n`);
try {
  const options = parseOptions(process.argv.slice(2));
  const report = await runCampaign({ ...options, main: join(ROOT, 'dist', 'main.js'), say });
  process.exitCode = report.violations.length === 0 ? 0 : 1;
} catch (error) {
  process.exitCode = error instanceof InputError ? 2 : 1;
  say(error instanceof InputError ? error.message : String(error instanceof Error ? error.stack : error));
}
