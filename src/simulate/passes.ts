import type { Shift } from '../app/shift.ts';
import type { Upcoming } from '../store/upcoming.ts';

/** The passes that are made when something is due for them, in the order in which they are made. */
const PASSES = ['audit', 'tick', 'settle', 'sweep', 'lateWatch', 'refunds'] as const;
type Pass = (typeof PASSES)[number];

/**
 * When which pass of a shift is made. As in the loops: at once when a process starts, then no more often than every so
 * many seconds, and the tick when the schedule says; but only where there is something to do.
 */
export class Passes {
  readonly #shift: Shift;
  readonly #last = new Map<Pass, number>();
  readonly #running = new Set<Pass>();
  /** For what instant a pass was made last, and how often in a row. */
  readonly #repeated = new Map<Pass, { readonly dueMs: number; readonly times: number }>();

  constructor(shift: Shift) {
    this.#shift = shift;
  }

  /** When the next pass is to be made, in milliseconds since 1970; infinity where nothing is in sight. */
  nextMs(upcoming: Upcoming): number {
    return Math.min(...PASSES.map((pass) => this.#dueMs(pass, upcoming)));
  }

  /** Those to be made now. A tick settles and sweeps as well, and who settles sweeps. */
  due(upcoming: Upcoming, nowMs: number): Pass[] {
    const due = PASSES.filter((pass) => this.#dueMs(pass, upcoming) <= nowMs);
    for (const pass of due) this.#demandProgress(pass, upcoming[pass]?.getTime() ?? 0);
    const contained = CONTAINED.find(([pass]) => due.includes(pass))?.[1] ?? [];
    return due.filter((pass) => !contained.includes(pass));
  }

  /** Makes one. */
  async make(pass: Pass, nowMs: number): Promise<void> {
    this.#last.set(pass, nowMs);
    this.#running.add(pass);
    try {
      await this.#shift[pass]();
    } finally {
      this.#running.delete(pass);
    }
  }

  #dueMs(pass: Pass, upcoming: Upcoming): number {
    const lastMs = this.#last.get(pass);
    if (lastMs === undefined) return 0; // a process that starts makes every pass at once
    const dueMs = upcoming[pass]?.getTime();
    if (dueMs === undefined || this.#running.has(pass)) return Number.POSITIVE_INFINITY;
    if (pass === 'tick') return this.#shift.tickMs(dueMs, lastMs);
    const onMs = pass === 'settle' ? EVERY_MS.settle : 1_000;
    return Math.ceil(Math.max(dueMs, lastMs + EVERY_MS[pass]) / onMs) * onMs;
  }

  /** What stays due however often a pass is made would never end. */
  #demandProgress(pass: Pass, dueMs: number): void {
    const before = this.#repeated.get(pass);
    const times = before?.dueMs === dueMs ? before.times + 1 : 1;
    this.#repeated.set(pass, { dueMs, times });
    if (times <= PATIENCE) return;
    const since = new Date(dueMs).toISOString();
    throw new Error(`something is due for the ${pass} since ${since}, and ${PATIENCE} passes have not moved it`);
  }
}

/** What a pass makes by itself. */
const CONTAINED: readonly (readonly [Pass, readonly Pass[]])[] = [
  ['tick', ['settle', 'sweep']],
  ['settle', ['sweep']],
];
/** As the loops pause between two passes; they settle on the minute, with the ticks of the usual schedule. */
const EVERY_MS = { audit: 5_000, settle: 60_000, sweep: 1_000, lateWatch: 10_000, refunds: 1_000 };
const PATIENCE = 100;
