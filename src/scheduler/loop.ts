import type { DateTime } from 'luxon';
import { pause } from '../clock.ts';
import { asError } from '../events.ts';
import type { Fence } from '../store/fence.ts';
import { compareBookedAgain } from './audit-booked.ts';
import type { AuditDeps } from './audit-tally.ts';
import { auditIfDue } from './audit-turn.ts';
import { type ClockWatchDeps, watchClock } from './clock-watch.ts';
import type { SchedulerDeps } from './deps.ts';
import { lateWatch } from './late-watch.ts';
import { type TickSchedule, tickTimes } from './schedule.ts';
import { settle } from './settle.ts';
import { sweep } from './sweep.ts';
import { tick } from './tick.ts';

/** What the loop's passes are given, and whether there is to be any. */
export type LoopDeps = {
  readonly passes: SchedulerDeps;
  readonly audits: AuditDeps;
  readonly clocks: ClockWatchDeps;
  /** Whether this database is ours to write. */
  readonly fence: () => Promise<Fence>;
};

/** A running loop. `close` begins no new pass and waits for the one under way. */
export type Loop = { close(): Promise<void> };

/**
 * Ticks at once, then whenever the schedule says, and again while it is behind; in between it sweeps every second and
 * settles every minute, looks up what may land late, watches the clock, and audits at once and every day. A pass that
 * fails is made again; on another installation's database none is made.
 */
export function startLoop(loop: LoopDeps, options: TickSchedule): Loop {
  const { passes: deps, audits, clocks } = loop;
  const stopping = new AbortController();
  const { signal } = stopping;
  const nextTickMs = tickTimes(options);
  const running = Promise.all([
    repeat(
      loop,
      { where: 'tick', pass: () => tick(deps), wait: () => untilNextTick(deps, nextTickMs, signal) },
      signal,
    ),
    repeat(loop, { where: 'sweep', pass: () => sweep(deps), wait: () => pause(deps.clock, SWEEP_MS, signal) }, signal),
    repeat(loop, { where: 'settle', pass: () => settleLater(deps, signal), wait: async () => undefined }, signal),
    repeat(
      loop,
      { where: 'late watch', pass: () => lateWatch(deps, signal), wait: () => pause(deps.clock, WATCH_MS, signal) },
      signal,
    ),
    repeat(loop, { where: 'audit', pass: auditing(audits), wait: () => pause(deps.clock, AUDIT_MS, signal) }, signal),
    repeat(
      loop,
      { where: 'clock', pass: () => watchClock(clocks), wait: () => pause(deps.clock, CLOCK_MS, signal) },
      signal,
    ),
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

async function repeat(loop: LoopDeps, { where, pass, wait }: Repeated, signal: AbortSignal): Promise<void> {
  const { report, clock } = loop.passes;
  let told = '';
  while (!signal.aborted) {
    try {
      const fence = await loop.fence();
      const closed = fence.kind === 'foreign' ? fence.reason : '';
      if (closed !== told && closed !== '') report({ kind: 'fence.closed', where, reason: closed });
      told = closed;
      if (closed !== '') {
        await pause(clock, FENCED_MS, signal);
        continue;
      }
      await pass();
      await wait();
    } catch (error) {
      report({ kind: 'work.failed', where, error: asError(error) });
      await pause(clock, RECOVER_MS, signal); // the database or the queue is away
    }
  }
}

/** The audit that is due, counted from this scheduler's first look at the database. */
function auditing(deps: AuditDeps): () => Promise<unknown> {
  let since: DateTime | null = null;
  return async () => {
    since ??= await deps.store.databaseNow();
    await auditIfDue(deps, since);
    await compareBookedAgain(deps);
  };
}

async function untilNextTick(
  { clock, store }: SchedulerDeps,
  nextTickMs: ReturnType<typeof tickTimes>,
  signal: AbortSignal,
): Promise<void> {
  const [fromMs, sinceMs] = [clock.nowMs(), clock.monotonicMs()];
  while (!signal.aborted) {
    // Asked each time: what is live again since the last tick may be behind.
    const left = await store.nextPeriodAt();
    // Until either clock says so: the host's may be set on or back.
    const goneMs = Math.max(clock.nowMs() - fromMs, clock.monotonicMs() - sinceMs);
    const leftMs = nextTickMs(fromMs, left?.toMillis()) - fromMs - goneMs;
    if (leftMs <= 0) return;
    await pause(clock, Math.min(leftMs, LONGEST_WAIT_MS), signal);
  }
}

/** In a minute: the first tick has just settled. */
async function settleLater(deps: SchedulerDeps, signal: AbortSignal): Promise<void> {
  await pause(deps.clock, SETTLE_MS, signal);
  if (!signal.aborted) await settle(deps);
}

const SWEEP_MS = 1_000;
/** Whatever the schedule: a subscription whose debt is paid has its access back soon. */
const SETTLE_MS = 60_000;
const WATCH_MS = 10_000;
/** How often it is asked whether an audit is due. */
const AUDIT_MS = 5_000;
const CLOCK_MS = 10_000;
/** How often a scheduler that reads only looks whether the database was adopted. */
const FENCED_MS = 5_000;
const RECOVER_MS = 2_000;
/** Timers hold 24 days at most. */
const LONGEST_WAIT_MS = 60_000;
