import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { refundDeps } from '../app/flow-deps.ts';
import type { App } from '../app.ts';
import { type InvoiceId, parseInvoiceId } from '../billing/ids.ts';
import { formatMajor } from '../billing/money.ts';
import { isoInstantOrNull } from '../operator/instant.ts';
import { refundInvoice } from '../operator/refund.ts';
import { readRefunds } from '../store/refund-orders.ts';
import { refundDue } from '../worker/refund.ts';
import { type Context, printResult, withApp } from './context.ts';

type Options = { readonly reason: string; readonly amount?: string; readonly impUid?: string };

export function refundCommand(program: Command, context: Context): void {
  program
    .command('refund')
    .description('give an invoice back: what was put up for refund, else what it was paid with')
    .argument('<invoice>', 'its id, from /v1/invoices or the console')
    .requiredOption('--reason <text>', 'why; kept in the audit, and beside the payment at the gateway')
    .option('--amount <amount>', 'a part of it, in major units as written: 9900 KRW, 9.90 USD')
    .option('--imp-uid <id>', 'which payment, where several were taken')
    .action(async (raw: string, options: Options) => {
      const id = parseInvoiceId(raw);
      const refunds = await withApp('maedal/refund', (app) => refund(app, id, options));
      printResult(context, program.opts().json === true, { refunds }, () => refunds.map(render).join('\n'));
      const left = refunds.filter(({ state }) => state !== 'done').length;
      if (left > 0) throw new Error(`${left} of ${refunds.length} refunds are not done; see \`maedal explain ${id}\``);
    });
}

/** Orders it, then works on it at once; what stays open is any worker's. */
async function refund(app: App, id: InvoiceId, { reason, ...wanted }: Options) {
  const deps = { db: app.db, ...app.identity };
  const ids = await refundInvoice(deps, id, {
    reason,
    amount: wanted.amount ?? null,
    impUid: wanted.impUid ?? null,
    actor: `cli:${userName()}`,
  });
  await refundDue(refundDeps(app), { only: ids });
  return (await readRefunds(app.db, ids)).map((row) => ({
    imp_uid: row.imp_uid,
    amount: Number(row.amount),
    currency: row.currency,
    state: row.state,
    fail_reason: row.fail_reason,
    next_at: isoInstantOrNull(row.next_at),
  }));
}

type Refund = Awaited<ReturnType<typeof refund>>[number];

function render({ imp_uid: impUid, amount, currency, state, fail_reason: why, next_at: nextAt }: Refund): string {
  const money = `${formatMajor({ minor: amount, currency })} ${currency} of ${impUid}`;
  if (state === 'done') return `refunded ${money}`;
  const because = why === null ? '' : `: ${why}`;
  return `${money} is not refunded, but ${state}${because}${nextAt === null ? '' : `; taken up again at ${nextAt}`}`;
}

/** Who runs this, by the operating system; a container may have a user without a name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
