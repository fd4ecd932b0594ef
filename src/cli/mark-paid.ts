import type { Command } from 'commander';
import { channelOf } from '../app/flow-deps.ts';
import { parseInvoiceId } from '../billing/ids.ts';
import { markPaid } from '../operator/mark-paid.ts';
import { actor } from './actor.ts';
import { type Context, printResult, withApp } from './context.ts';
import { demandOurs } from './ours.ts';
import { parseReason } from './reason.ts';

export function markPaidCommand(program: Command, context: Context): void {
  program
    .command('mark-paid')
    .description('call an invoice paid by a payment that PortOne shows: whole, and of the same amount')
    .argument('<invoice>', 'its id, from /v1/invoices or the console')
    .requiredOption('--imp-uid <id>', 'the payment, from PortOne’s console')
    .requiredOption('--reason <text>', 'why, for the audit', parseReason)
    .action(async (raw: string, { impUid, reason }: { impUid: string; reason: string }) => {
      const id = parseInvoiceId(raw);
      const said = { actor: actor(), reason };
      const status = await withApp('maedal/mark-paid', async (app) => {
        await demandOurs(app);
        const { db, gateway, identity, config } = app;
        const channel = (name: string) => channelOf(config, name);
        const sandbox = config.mode === 'test';
        return markPaid({ db, gateway, fingerprint: identity.fingerprint, channel, sandbox }, id, impUid, said);
      });
      printResult(context, program.opts().json === true, { invoice: id, imp_uid: impUid, status }, () =>
        status === 'paid'
          ? `${id} is paid by ${impUid}`
          : `${impUid} is one of our own charges and is on record now: the next sweep settles ${id} by it`,
      );
    });
}
