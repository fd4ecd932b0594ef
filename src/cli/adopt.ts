import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { DateTime } from 'luxon';
import { auditDeps } from '../app/flow-deps.ts';
import type { App } from '../app.ts';
import { FenceError, InputError } from '../billing/errors.ts';
import { formatMajor } from '../billing/money.ts';
import { audit, gatewayNow } from '../scheduler/audit.ts';
import { windowOf } from '../scheduler/audit-turn.ts';
import { adoptDatabase, readStakes, type Stakes } from '../store/control.ts';
import { readFence } from '../store/fence.ts';
import { actor } from './actor.ts';
import { type Context, printResult, withApp } from './context.ts';
import { parseReason } from './reason.ts';

type Options = { readonly reason: string; readonly yes: boolean; readonly force: boolean };

export function adoptCommand(program: Command, context: Context): void {
  program
    .command('adopt')
    .description("make this database this installation's: needed once before live charges, and after a move or a copy")
    .requiredOption('--reason <text>', 'why, for the audit', parseReason)
    .option('--yes', 'do not ask', false)
    .option('--force', 'also where the gateway holds payments that this database does not know', false)
    .action(async (options: Options) => {
      const result = await withApp('maedal/adopt', (app) => adopt(app, options));
      printResult(context, program.opts().json === true, result, () => result.says);
    });
}

async function adopt(app: App, options: Options): Promise<{ readonly adopted: boolean; readonly says: string }> {
  const { db, identity } = app;
  const stakes = await readStakes(db);
  const isOurs = (await readFence(db, identity)).kind === 'open' && stakes.adoptedAt !== null;
  if (isOurs) return { adopted: false, says: 'this database is adopted already' };
  if (!options.force) await demandKnownBooks(app, stakes);
  if (!options.yes) await demandConsent(describe(app, stakes));
  await adoptDatabase(db, identity, { actor: actor(), reason: options.reason });
  return { adopted: true, says: 'adopted: this installation charges what is due in this database from now on' };
}

/** Throws FenceError where the gateway holds payments of ours that this database does not know. */
async function demandKnownBooks(app: App, { auditedUntil }: Stakes): Promise<void> {
  const deps = auditDeps(app);
  const until = await gatewayNow(deps.gateway);
  if (!DateTime.isDateTime(until)) throw new Error(`cannot compare with the gateway: ${until.unclear}`);
  const window = windowOf(auditedUntil, until, deps);
  const { counts, unclear, findings } = await audit(deps, { window, effect: 'look', alive: async () => undefined });
  if (counts.unknown > 0) {
    const [first] = findings.filter(({ kind }) => kind === 'unknown');
    throw new FenceError(
      `the gateway holds ${counts.unknown} payments that this database does not know, such as ${first?.impUid} (${first?.merchantUid}): is it an old backup?`,
      'see `maedal reconcile`; --force adopts it all the same, and the next audit stops the sending',
    );
  }
  if (unclear !== null) throw new Error(`cannot compare with the gateway: ${unclear}`);
}

function describe({ config, identity }: App, { subscriptions, due, fingerprint }: Stakes): string {
  const amounts = due.map(
    ({ currency, count, minor }) => `${count} invoices of ${formatMajor({ minor, currency })} ${currency}`,
  );
  return [
    `This database becomes that of the installation ${identity.fingerprint} (${config.mode}), which charges through ${config.gateway.baseUrl}.`,
    fingerprint === null
      ? 'Nobody had it before.'
      : `It was that of ${fingerprint}, which must charge from it no more.`,
    `It holds ${subscriptions} running subscriptions. Due now: ${amounts.length === 0 ? 'nothing' : amounts.join(', ')}.`,
  ].join('\n');
}

/** Throws InputError where nobody can be asked, and FenceError for any answer but yes. */
async function demandConsent(text: string): Promise<void> {
  if (process.stdin.isTTY !== true) throw new InputError('nobody is here to be asked', 'give --yes');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${text}\nAdopt it? Write yes: `);
    if (answer.trim().toLowerCase() !== 'yes') throw new FenceError('not adopted', 'write yes to adopt it');
  } finally {
    terminal.close();
  }
}
