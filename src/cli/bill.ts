import type { Command } from 'commander';
import { DateTime } from 'luxon';
import { auditDeps, clockWatchDeps, inboundDeps, refundDeps, schedulerDeps, workerDeps } from '../app/flow-deps.ts';
import { notifyDeps } from '../app/notify-deps.ts';
import type { App } from '../app.ts';
import { InputError } from '../billing/errors.ts';
import { asError, type BillingEvent } from '../events.ts';
import { followHints } from '../inbound/follow-hints.ts';
import { relayDue } from '../notify/relay.ts';
import type { AuditDeps } from '../scheduler/audit-tally.ts';
import { auditIfDue } from '../scheduler/audit-turn.ts';
import { watchClock } from '../scheduler/clock-watch.ts';
import { lateWatch } from '../scheduler/late-watch.ts';
import { tick } from '../scheduler/tick.ts';
import { databaseNow, type Ring } from '../store/due.ts';
import { type Progress, readProgress } from '../store/progress.ts';
import { refundDue } from '../worker/refund.ts';
import { runJob } from '../worker/run-job.ts';
import { type Context, printResult, withApp } from './context.ts';
import { nextDue } from './next-due.ts';
import { demandOurs } from './ours.ts';
import { stopLimitMs } from './stop-limit.ts';

export function billCommand(program: Command, context: Context): void {
  program
    .command('bill')
    .description('bill everything due now, look-ups included, then exit: maedal for a cron of your own')
    .option('--concurrency <n>', 'charges in flight at once, 1 to 200', parseConcurrency, 20)
    .action(async ({ concurrency }: { concurrency: number }) => {
      const { result, next } = await withApp('maedal/bill', (app) => {
        context.mayTakeToStop(stopLimitMs(app.config));
        return bill(app, concurrency, context.stopped);
      });
      printResult(context, program.opts().json === true, result, () => render(result, next));
      if (result.failed > 0) throw new Error(`${result.failed} charges could not be worked on; they are tried again`);
    });
}

function parseConcurrency(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 200) return count;
  throw new InputError(`--concurrency is '${text}'`, 'write a whole number from 1 to 200');
}

type BillResult = {
  readonly outcomes: Readonly<Record<string, number>>;
  readonly drawn_up: number;
  readonly failed: number;
  readonly unknown: number;
  readonly next_due_at: string | null;
};

/** Everything due at the start, without the queue. What becomes due meanwhile is left for the next run. */
async function bill(
  app: App,
  concurrency: number,
  stopped: AbortSignal,
): Promise<{ readonly result: BillResult; readonly next: string }> {
  await demandOurs(app);
  const outcomes: Record<string, number> = {};
  let failed = 0;
  const report = (event: BillingEvent) => {
    if (event.kind === 'charge.finished') outcomes[event.outcome] = (outcomes[event.outcome] ?? 0) + 1;
    app.report(event);
  };
  const worker = { ...workerDeps(app), report, stopped };
  const charge = async (job: Ring) => {
    if (stopped.aborted) return; // what was rung and not taken is rung again
    try {
      await runJob(worker, job);
    } catch (error) {
      failed += 1;
      report({ kind: 'work.failed', where: 'bill', error: asError(error) });
    }
  };
  const scheduler = schedulerDeps(app, { ring: (rings) => inLanes(rings, concurrency, charge) });
  const until = await databaseNow(app.db);
  await followHints({ ...inboundDeps(app), report }, stopped);
  await lateWatch(scheduler, stopped);
  await watchClock(clockWatchDeps(app));
  await auditDaily(auditDeps(app));
  let drawnUp = 0;
  while (!stopped.aborted) {
    const pass = await tick(scheduler, until);
    drawnUp += pass.drawnUp;
    if (pass.drawnUp + pass.rung === 0) break;
  }
  await refundDue({ ...refundDeps(app), report }, { signal: stopped });
  await tell(app, stopped);
  const progress = await readProgress(app.db);
  return { result: summary(progress, { outcomes, drawn_up: drawnUp, failed }), next: nextDue(progress) };
}

/** Events leave for a minute at most; what is left goes with the next run, under the same ids. */
async function tell(app: App, stopped: AbortSignal): Promise<void> {
  const ending = new AbortController();
  const cancel = app.clock.after(TELL_MS, () => ending.abort());
  try {
    await relayDue(notifyDeps(app), AbortSignal.any([ending.signal, stopped]));
  } catch (error) {
    app.report({ kind: 'work.failed', where: 'relay', error: asError(error) });
  } finally {
    cancel();
  }
}

/** Where no scheduler runs, this one audits, once a day. Without an audit every charge is preceded by a look-up. */
async function auditDaily(deps: AuditDeps): Promise<void> {
  try {
    await auditIfDue(deps, DateTime.fromMillis(0));
  } catch (error) {
    deps.report({ kind: 'work.failed', where: 'audit', error: asError(error) });
  }
}

function summary(progress: Progress, done: Pick<BillResult, 'outcomes' | 'drawn_up' | 'failed'>): BillResult {
  return {
    ...done,
    unknown: progress.unknown,
    next_due_at: progress.nextDueAt?.toISO({ suppressMilliseconds: true }) ?? null,
  };
}

async function inLanes(jobs: readonly Ring[], lanes: number, work: (job: Ring) => Promise<void>): Promise<void> {
  const waiting = [...jobs];
  const lane = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) await work(job);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

function render(result: BillResult, next: string): string {
  const outcomes = Object.entries(result.outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  const charged = outcomes.length === 0 ? 'nothing was due' : outcomes.join(', ');
  const waiting = result.unknown > 0 ? `; ${result.unknown} without an answer yet, run again to look them up` : '';
  return `${charged}${waiting}; next due ${next}`;
}

const TELL_MS = 60_000;
