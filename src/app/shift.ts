import type { App } from '../app.ts';
import { asError } from '../events.ts';
import { auditIfDue } from '../scheduler/audit-turn.ts';
import { lateWatch } from '../scheduler/late-watch.ts';
import { tickFor } from '../scheduler/schedule.ts';
import { settle } from '../scheduler/settle.ts';
import { sweep } from '../scheduler/sweep.ts';
import { tick } from '../scheduler/tick.ts';
import { databaseNow, type Ring } from '../store/due.ts';
import { refundDue } from '../worker/refund.ts';
import { runJob } from '../worker/run-job.ts';
import { auditDeps, refundDeps, schedulerDeps, workerDeps } from './flow-deps.ts';

/** What a process of every role does, for whoever calls when: the passes of the loops, and the worker's job. */
export type Shift = {
  readonly tick: () => Promise<unknown>;
  readonly settle: () => Promise<unknown>;
  readonly sweep: () => Promise<unknown>;
  readonly lateWatch: () => Promise<unknown>;
  readonly refunds: () => Promise<unknown>;
  readonly audit: () => Promise<unknown>;
  /** Never rejects: what fails is told of, and rung again. */
  readonly work: (job: Ring) => Promise<void>;
  /** When the tick is made that finds what begins at an instant, in milliseconds since 1970. */
  readonly tickMs: ReturnType<typeof tickFor>;
};

/** Begins a shift: as a process that starts, it remembers nothing. `ring` takes what is due and returns at once. */
export async function beginShift(app: App, ring: (rings: readonly Ring[]) => void): Promise<Shift> {
  const scheduler = schedulerDeps(app, { ring: async (rings) => ring(rings) });
  const [worker, refunder, audits] = [workerDeps(app), refundDeps(app), auditDeps(app)];
  const since = await databaseNow(app.db);
  return {
    tick: () => tick(scheduler),
    settle: () => settle(scheduler),
    sweep: () => sweep(scheduler),
    lateWatch: () => lateWatch(scheduler),
    refunds: () => refundDue(refunder),
    audit: () => auditIfDue(audits, since),
    work: async (job) => {
      try {
        await runJob(worker, job);
      } catch (error) {
        app.report({ kind: 'work.failed', where: 'charge', error: asError(error) });
      }
    },
    tickMs: tickFor(app.config),
  };
}
