import type { Command } from 'commander';
import { channelOf } from '../app/flow-deps.ts';
import { parseInvoiceId } from '../billing/ids.ts';
import type { Intervention } from '../billing/intervention.ts';
import { orderIntervention } from '../operator/intervene.ts';
import { actor } from './actor.ts';
import { type Context, printResult, withApp } from './context.ts';
import { demandOurs } from './ours.ts';
import { parseReason } from './reason.ts';

/** A command by which a person orders something about one invoice, and what is said once it is done. */
type Ordering = { readonly intervention: Intervention; readonly description: string; readonly done: string };

/** Adds the command of an order: `maedal <order> <invoice> --reason …`. */
export function addOrder(program: Command, context: Context, { intervention, description, done }: Ordering): void {
  program
    .command(intervention)
    .description(description)
    .argument('<invoice>', 'its id, from /v1/invoices or the console')
    .requiredOption('--reason <text>', 'why, for the audit', parseReason)
    .action(async (raw: string, { reason }: { reason: string }) => {
      const id = parseInvoiceId(raw);
      const said = { actor: actor(), reason };
      const state = await withApp(`maedal/${intervention}`, async (app) => {
        await demandOurs(app);
        const { db, identity, config } = app;
        const channel = (name: string) => channelOf(config, name);
        return orderIntervention({ db, fingerprint: identity.fingerprint, channel }, id, intervention, said);
      });
      const result = { invoice: id, status: state };
      printResult(context, program.opts().json === true, result, () => `${id} is ${state}: ${done}`);
    });
}
