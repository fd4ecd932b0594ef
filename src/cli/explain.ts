import type { Command } from 'commander';
import { parseInvoiceId } from '../billing/ids.ts';
import { explainInvoice, renderExplanation } from '../operator/explain.ts';
import { type Context, printResult, withApp } from './context.ts';

export function explainCommand(program: Command, context: Context): void {
  program
    .command('explain')
    .description('tell what happened to an invoice, why, and what comes next')
    .argument('<invoice>', 'its id, from /v1/invoices or the console')
    .action(async (raw: string) => {
      const id = parseInvoiceId(raw);
      const explanation = await withApp('maedal/explain', (app) => explainInvoice(app.db, id, app.identity));
      printResult(context, program.opts().json === true, explanation, () => renderExplanation(explanation));
    });
}
