import type { Command } from 'commander';
import { beforeDeps } from '../app/before-deps.ts';
import { channelOf } from '../app/flow-deps.ts';
import type { App } from '../app.ts';
import type { HookDecision } from '../billing/before-charge.ts';
import { assertNever, InputError } from '../billing/errors.ts';
import { formatMajor, money } from '../billing/money.ts';
import { findInvoice } from '../store/case-file.ts';
import { type BeforeFile, readLatest } from '../store/hook-answers.ts';
import { type Rehearsed, rehearse } from '../worker/rehearse.ts';
import { type Context, printResult, withApp } from './context.ts';

type Told = { readonly about: BeforeFile['about']; readonly hooks: readonly Rehearsed[]; readonly unasked: string[] };

export function hooksCommand(program: Command, context: Context): void {
  program
    .command('hooks')
    .description('try the hooks of the configuration file')
    .command('test')
    .description('ask the before-hooks about an invoice: nothing is charged, and no answer is kept')
    .requiredOption('--invoice <id>', 'its id, from /v1/invoices or the console; or a merchant_uid or imp_uid')
    .action(async ({ invoice }: { invoice: string }) => {
      const told = await withApp('maedal/hooks', (app) => tryHooks(app, invoice));
      printResult(context, program.opts().json === true, jsonOf(told), () => textOf(told));
    });
}

async function tryHooks(app: App, named: string): Promise<Told> {
  const { config, db, clock } = app;
  const before = beforeDeps(app, (name) => channelOf(config, name));
  if (before.hooks.length === 0) {
    throw new InputError(`${config.configFile} has no before-hook`, 'write one under hooks.beforeCharge');
  }
  const id = await findInvoice(db, named.trim());
  const file = id === null ? null : await readLatest(db, id);
  if (file === null) {
    const remedy = 'copy an id from /v1/invoices or the console, or merchant_uid or imp_uid from PortOne';
    throw new InputError(`there is no invoice, charge or payment '${named}'`, remedy);
  }
  const hooks = await rehearse({ ...before, clock }, file);
  return { about: file.about, hooks, unasked: before.hooks.slice(hooks.length).map(({ name }) => name) };
}

function jsonOf({ about, hooks, unasked }: Told) {
  const { invoice, attempt } = about;
  return {
    invoice_id: invoice.id,
    attempt: attempt.number,
    hooks: hooks.map(({ hook, tookMs, said, decision }) => ({
      hook,
      took_ms: tookMs,
      ...(said.kind === 'failed' ? { answer: null, error: said.reason } : { answer: said, error: null }),
      comes_to: outcomeOf(decision),
    })),
    unasked,
  };
}

function outcomeOf(decision: HookDecision) {
  switch (decision.kind) {
    case 'go':
      return { kind: 'charge', amount: decision.charged.amountMinor, name: decision.charged.name };
    case 'withdrawn':
      return { kind: decision.to, reason: decision.reason };
    case 'deferred':
      return { kind: 'deferred', until: decision.until.toISO(), reason: decision.reason };
    default:
      return assertNever(decision);
  }
}

function textOf({ about, hooks, unasked }: Told): string {
  const { invoice, subscription, attempt } = about;
  const { currency } = invoice;
  return [
    `Invoice ${invoice.id}: ${formatMajor(money(invoice.amount, currency))} ${currency} of ${subscription.id} for ${invoice.period}, attempt ${attempt.number}.`,
    ...hooks.flatMap(({ hook, tookMs, said, decision }) => [
      `${hook} (${tookMs} ms): ${said.kind === 'failed' ? `failed, ${said.reason}` : JSON.stringify(said)}`,
      `  ${inWords(decision, currency)}`,
    ]),
    ...unasked.map((name) => `${name}: not asked`),
    'Nothing was charged, and no answer was kept.',
  ].join('\n');
}

function inWords(decision: HookDecision, currency: string): string {
  switch (decision.kind) {
    case 'go':
      return `charge ${formatMajor(money(decision.charged.amountMinor, currency))} ${currency}`;
    case 'withdrawn':
      return `${decision.to}: ${decision.reason}`;
    case 'deferred':
      return `asked again at ${decision.until.toISO()}: ${decision.reason}`;
    default:
      return assertNever(decision);
  }
}
