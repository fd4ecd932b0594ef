import type { Clock } from '../clock.ts';

type Waiting = { readonly dueMs: number; readonly run: (dueMs: number) => void };

/** The sandbox's own time: the host's clock plus an offset that people may move, and what is due by it. */
export class SandboxTime {
  readonly #clock: Clock;
  #offsetMs: number;
  /** Sorted by `dueMs`, the earliest first. */
  readonly #waiting: Waiting[] = [];
  #cancelTimer: (() => void) | null = null;

  constructor(clock: Clock, offsetMs: number) {
    this.#clock = clock;
    this.#offsetMs = offsetMs;
  }

  /** Milliseconds since 1970 as the sandbox sees it. */
  nowMs(): number {
    return this.#clock.nowMs() + this.#offsetMs;
  }

  /** Milliseconds since 1970 by the host's clock, which nobody moves here. */
  hostMs(): number {
    return this.#clock.nowMs();
  }

  /** Runs once as soon as it is `dueMs`, at once if that is past; told the instant at which it was due. */
  at(dueMs: number, run: (dueMs: number) => void): void {
    let index = this.#waiting.length;
    while (index > 0 && (this.#waiting[index - 1]?.dueMs ?? 0) > dueMs) index -= 1;
    this.#waiting.splice(index, 0, { dueMs, run });
    if (index === 0) this.#arm();
  }

  /** Resolves when `ms` have passed by this time. */
  pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.at(this.nowMs() + ms, () => resolve()));
  }

  /** Moves the clock and runs, in order, what became due. Returns the offset from the host's clock. */
  moveTo(nowMs: number): number {
    this.#offsetMs = nowMs - this.#clock.nowMs();
    this.catchUp();
    return this.#offsetMs;
  }

  /** Runs, in order, what is due by now. */
  catchUp(): void {
    for (let first = this.#waiting[0]; first !== undefined && first.dueMs <= this.nowMs(); first = this.#waiting[0]) {
      this.#waiting.shift();
      first.run(first.dueMs);
    }
    this.#arm();
  }

  /** Forgets the timer; nothing runs any more. */
  stop(): void {
    this.#waiting.length = 0;
    this.#arm();
  }

  #arm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const first = this.#waiting[0];
    if (first === undefined) return;
    const waitMs = Math.min(Math.max(first.dueMs - this.nowMs(), 0), LONGEST_TIMER_MS);
    this.#cancelTimer = this.#clock.after(waitMs, () => this.catchUp());
  }
}

/** A day: longer timers overflow, so they are set again. */
const LONGEST_TIMER_MS = 86_400_000;
