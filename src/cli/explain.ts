import type { Command } from 'commander';
import { explainInvoice, renderExplanation } from '../operator/explain.ts';
import { type Context, printResult, withApp } from './context.ts';

export function explainCommand(program: Command, context: Context): void {
  program
    .command('explain')
    .description('tell what happened to an invoice, why, and what comes next')
    .argument('<invoice>', 'its id, from /v1/invoices or the console; or a merchant_uid or imp_uid, from PortOne')
    .action(async (named: string) => {
      const explanation = await withApp('maedal/explain', (app) => explainInvoice(app.db, named, app.identity));
      printResult(context, program.opts().json === true, explanation, () => renderExplanation(explanation));
    });
}
