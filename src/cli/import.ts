import type { Command } from 'commander';
import { withImportDeps } from '../app/import-deps.ts';
import { type ImportResult, importFile } from '../operator/import/import-file.ts';
import { type Context, printResult, withApp } from './context.ts';
import { demandOurs } from './ours.ts';

export function importCommand(program: Command, context: Context): void {
  program
    .command('import')
    .description('import subscriptions from a CSV, JSON or JSON Lines file: all rows or none')
    .argument('<file>')
    .option('--dry-run', 'check the file and import nothing', false)
    .action(async (file: string, { dryRun }: { dryRun: boolean }) => {
      const result = await withApp('maedal/import', async (app) => {
        await demandOurs(app);
        return withImportDeps(app, (deps) => importFile(deps, file, { dryRun }));
      });
      printResult(context, program.opts().json === true, { ...result, dry_run: dryRun }, () => render(result, dryRun));
    });
}

function render({ imported, unchanged, customers }: ImportResult, dryRun: boolean): string {
  const verb = dryRun ? 'would import' : 'imported';
  return `${verb} ${imported} subscriptions (${customers} new customers); ${unchanged} unchanged`;
}
