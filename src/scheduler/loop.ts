import { Cron } from 'croner';
import type { DateTime } from 'luxon';
import { type Clock, pause } from '../clock.ts';
import { asError } from '../events.ts';
import { auditIfDue } from './audit-turn.ts';
import type { SchedulerDeps } from './deps.ts';
import { lateWatch } from './late-watch.ts';
import { sweep } from './sweep.ts';
import { tick } from './tick.ts';

export type LoopOptions = {
  /** When to tick: a cron expression, in this zone. */
  readonly schedule: string;
  readonly timezone: string;
};

/** A running loop. `close` begins no new pass and waits for the one under way. */
export type Loop = { close(): Promise<void> };

/**
 * Ticks at once, then whenever the schedule says; sweeps every second in between, looks up what may land late, and
 * audits at once and every day. A pass that fails is made again.
 */
export function startLoop(deps: SchedulerDeps, options: LoopOptions): Loop {
  const stopping = new AbortController();
  const { signal } = stopping;
  const running = Promise.all([
    repeat(
      deps,
      { where: 'tick', pass: () => tick(deps), wait: () => untilNextTick(deps.clock, options, signal) },
      signal,
    ),
    repeat(deps, { where: 'sweep', pass: () => sweep(deps), wait: () => pause(deps.clock, SWEEP_MS, signal) }, signal),
    repeat(
      deps,
      { where: 'late watch', pass: () => lateWatch(deps, signal), wait: () => pause(deps.clock, WATCH_MS, signal) },
      signal,
    ),
    repeat(deps, { where: 'audit', pass: audits(deps), wait: () => pause(deps.clock, AUDIT_MS, signal) }, signal),
  ]);
  return {
    close: async () => {
      stopping.abort();
      await running;
    },
  };
}

type Repeated = {
  readonly where: string;
  readonly pass: () => Promise<unknown>;
  readonly wait: () => Promise<void>;
};

async function repeat(deps: SchedulerDeps, { where, pass, wait }: Repeated, signal: AbortSignal): Promise<void> {
  let told = '';
  while (!signal.aborted) {
    try {
      const fence = await deps.fence();
      const closed = fence.kind === 'foreign' ? fence.reason : '';
      if (closed !== told && closed !== '') deps.report({ kind: 'fence.closed', where, reason: closed });
      told = closed;
      if (closed !== '') {
        await pause(deps.clock, FENCED_MS, signal);
        continue;
      }
      await pass();
      await wait();
    } catch (error) {
      deps.report({ kind: 'work.failed', where, error: asError(error) });
      await pause(deps.clock, RECOVER_MS, signal); // the database or the queue is away
    }
  }
}

/** The audit that is due, counted from this scheduler's first look at the database. */
function audits(deps: SchedulerDeps): () => Promise<unknown> {
  let since: DateTime | null = null;
  return async () => {
    since ??= await deps.store.databaseNow();
    return auditIfDue(deps, since);
  };
}

async function untilNextTick(clock: Clock, { schedule, timezone }: LoopOptions, signal: AbortSignal): Promise<void> {
  const next = new Cron(schedule, { timezone, paused: true }).nextRun(new Date(clock.nowMs()));
  const nextMs = next?.getTime() ?? Number.POSITIVE_INFINITY;
  const wantedMs = nextMs - clock.nowMs();
  const sinceMs = clock.monotonicMs();
  // In short stretches, until either clock says so: the host's may be set on or back, and timers hold 24 days at most.
  while (!signal.aborted && clock.nowMs() < nextMs && clock.monotonicMs() - sinceMs < wantedMs) {
    await pause(clock, Math.min(nextMs - clock.nowMs(), LONGEST_WAIT_MS), signal);
  }
}

const SWEEP_MS = 1_000;
const WATCH_MS = 10_000;
/** How often it is asked whether an audit is due. */
const AUDIT_MS = 5_000;
/** How often a scheduler that reads only looks whether the database was adopted. */
const FENCED_MS = 5_000;
const RECOVER_MS = 2_000;
const LONGEST_WAIT_MS = 60_000;
