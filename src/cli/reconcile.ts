import type { Command } from 'commander';
import { DateTime } from 'luxon';
import { auditDeps } from '../app/flow-deps.ts';
import type { App } from '../app.ts';
import { FenceError, InputError } from '../billing/errors.ts';
import type { Window } from '../gateway/gateway.ts';
import { audit, gatewayNow } from '../scheduler/audit.ts';
import type { Audited } from '../scheduler/audit-tally.ts';
import { conclude, detailsOf } from '../scheduler/audit-turn.ts';
import { readSending } from '../store/control.ts';
import { readFence } from '../store/fence.ts';
import { actor } from './actor.ts';
import { type Context, printResult, withApp } from './context.ts';
import { dayOf } from './day.ts';
import { type Reconciled, renderReconciled } from './reconcile-report.ts';

export function reconcileCommand(program: Command, context: Context): void {
  program
    .command('reconcile')
    .description("compare PortOne's payments of a window with ours, both ways, and say what each difference means")
    .requiredOption('--from <date>', 'first day, or an instant such as 2027-01-31T10:00+09:00')
    .option('--until <date>', 'the day after the last; left out, until now')
    .action(async (days: { from: string; until?: string }) => {
      const result = await withApp('maedal/reconcile', (app) => reconcile(app, days));
      const json = { ...detailsOf(result.audited), effect: result.effect, sending: result.sending };
      printResult(context, program.opts().json === true, json, () => renderReconciled(result));
      demandCleanBooks(result.audited);
    });
}

async function reconcile(app: App, days: { from: string; until?: string }): Promise<Reconciled> {
  const deps = auditDeps(app);
  const now = await gatewayNow(deps.gateway);
  if (!DateTime.isDateTime(now)) throw new Error(`PortOne cannot be asked: ${now.unclear}`);
  const window = windowOf(days, app.config.timezone, now);
  const effect = (await readFence(app.db, app.identity)).kind === 'foreign' ? 'look' : 'record';
  const startedMs = deps.clock.monotonicMs();
  const audited = await audit(deps, { window, effect, alive: async () => undefined });
  if (effect === 'record') await conclude(deps, audited, { actor: actor(), turn: null, startedMs });
  return { audited, effect, sending: await readSending(app.db) };
}

/** Days begin in the merchant's time zone. Throws InputError for what is no date, or no window. */
function windowOf({ from, until }: { from: string; until?: string }, zone: string, now: DateTime): Window {
  const start = dayOf('--from', from, zone);
  const end = until === undefined ? now : DateTime.min(dayOf('--until', until, zone), now);
  if (start >= end)
    throw new InputError(`--from ${from} is not before --until ${until ?? 'now'}`, 'name an earlier day');
  return { from: start, until: end };
}

/** Throws FenceError where unknown captures were found, and Error where a person must look, or the books are not whole. */
function demandCleanBooks({ unclear, counts }: Audited): void {
  if (counts.unknown > 0)
    throw new FenceError(
      `${counts.unknown} payments are not known here`,
      'sending waits for `maedal send on`, which lists them',
    );
  if (unclear !== null) throw new Error(`PortOne's books could not be read to their end: ${unclear}`);
  const forPeople = counts.different + counts.missing + counts.foreign + counts.booked;
  if (forPeople > 0) throw new Error(`${forPeople} findings need a person`);
}
