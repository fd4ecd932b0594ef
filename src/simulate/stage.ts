import { beginShift } from '../app/shift.ts';
import type { App } from '../app.ts';
import { asError } from '../events.ts';
import type { ThrowAway } from '../store/throw-away.ts';
import { readUpcoming } from '../store/upcoming.ts';
import type { Activity } from './activity.ts';
import { Lanes } from './lanes.ts';
import { Passes } from './passes.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** When all processes are down: what is in hand at `fromMs` is finished, and nothing begins before `untilMs`. */
export type Outage = { readonly fromMs: number; readonly untilMs: number };

type StageDeps = {
  readonly app: App;
  readonly clock: VirtualClock;
  readonly activity: Activity;
  readonly database: Pick<ThrowAway, 'setNow' | 'tidy'>;
  readonly stopped: AbortSignal | undefined;
};

/**
 * Plays time: from one instant at which anything is due to the next. The clock moves only when everything that can go
 * on has ended or waits for it; then one timer fires, and what it set going comes to rest before the next one does.
 */
export class Stage {
  readonly #deps: StageDeps;
  /** Null while all processes are down. */
  #passes: Passes | null = null;
  #lanes: Lanes<{ readonly begin: () => Promise<void> }>;
  /** Passes and jobs that have begun and not ended. */
  #acting = 0;
  #untidy = 0;

  constructor(deps: StageDeps) {
    this.#deps = deps;
    this.#lanes = new Lanes(deps.clock, deps.app.config.limits.concurrency, ({ begin }) => this.#act(begin));
  }

  /** Starts a process, and plays up to `untilMs`, which is not reached. */
  async play({ untilMs, outages }: { readonly untilMs: number; readonly outages: readonly Outage[] }): Promise<void> {
    const { clock, activity, stopped } = this.#deps;
    const changes = changesOf(outages, clock.nowMs());
    for (;;) {
      await activity.quiet();
      if (stopped?.aborted === true) return;
      if (clock.fireOne()) continue;
      const change = changes[0];
      if (change !== undefined && change.atMs <= clock.nowMs()) {
        await this.#change(change.to);
        changes.shift();
        continue;
      }
      const upcoming = await readUpcoming(this.#deps.app.db);
      const nextMs = Math.max(this.#passes?.nextMs(upcoming) ?? Number.POSITIVE_INFINITY, clock.nowMs());
      if (nextMs > clock.nowMs()) {
        const toMs = Math.min(nextMs, clock.nextMs(), change?.atMs ?? Number.POSITIVE_INFINITY);
        if (toMs >= untilMs) return;
        await this.#moveTo(toMs);
      }
      for (const pass of this.#passes?.due(upcoming, clock.nowMs()) ?? []) this.#begin(pass);
    }
  }

  /** Ends what is in hand: time goes on for it, and nothing else begins. */
  async finish(): Promise<void> {
    const { clock, activity } = this.#deps;
    await this.#change('down');
    for (;;) {
      await activity.quiet();
      if (clock.fireOne()) continue;
      if (this.#acting === 0 && !activity.hasCalls) return;
      await this.#moveTo(clock.nextMs());
    }
  }

  async #change(to: 'up' | 'down'): Promise<void> {
    this.#lanes.forget(); // a queue that is lost; what was rung and not taken is rung again
    this.#passes = null;
    if (to === 'down') return;
    const shift = await beginShift(this.#deps.app, (rings) => {
      const sorted = [...rings].sort((one, other) => (one.attemptId < other.attemptId ? -1 : 1));
      this.#lanes.add(sorted.map((job) => ({ begin: () => shift.work(job) })));
    });
    this.#passes = new Passes(shift);
  }

  async #moveTo(ms: number): Promise<void> {
    const { clock, database } = this.#deps;
    if (this.#untidy >= TIDY_EVERY) {
      await database.tidy();
      this.#untidy = 0;
    }
    clock.moveTo(ms);
    await database.setNow(ms);
  }

  #begin(pass: Parameters<Passes['make']>[0]): void {
    const { clock, app } = this.#deps;
    const passes = this.#passes;
    const make = async () => {
      try {
        await passes?.make(pass, clock.nowMs());
      } catch (error) {
        app.report({ kind: 'work.failed', where: pass, error: asError(error) });
      }
    };
    clock.after(0, () => void this.#act(make));
  }

  async #act(work: () => Promise<void>): Promise<void> {
    this.#acting += 1;
    this.#untidy += 1;
    try {
      await work();
    } finally {
      this.#acting -= 1;
    }
  }
}

type Change = { readonly atMs: number; readonly to: 'up' | 'down' };

/** In order; outages that touch are one. */
function changesOf(outages: readonly Outage[], startMs: number): Change[] {
  const changes: Change[] = [{ atMs: startMs, to: 'up' }];
  let upAtMs = startMs;
  for (const { fromMs, untilMs } of [...outages].sort((one, other) => one.fromMs - other.fromMs)) {
    if (changes.length > 1 && fromMs <= upAtMs) changes.pop();
    else changes.push({ atMs: fromMs, to: 'down' });
    upAtMs = Math.max(upAtMs, untilMs);
    changes.push({ atMs: upAtMs, to: 'up' });
  }
  return changes;
}

/** Passes and jobs after which the rows that they left dead would slow the next ones down. */
const TIDY_EVERY = 2_000;
