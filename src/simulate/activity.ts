import { availableParallelism } from 'node:os';
import { type Clock, systemClock, turn } from '../clock.ts';

/**
 * Knows when nothing is on its way any more but what waits for the clock: by counting, never by waiting a while.
 * Statements count until they are answered. A call of the gateway counts from when its time limit is set until that is
 * taken back, except while the sandbox holds it: then nothing but the clock ends it.
 */
export class Activity {
  #statements = 0;
  #calls = 0;
  #held = 0;
  /** Calls given up that the sandbox still holds: until it has noticed, one call more may be under way than it seems. */
  #leaving = 0;
  /** Rises with whatever happens. */
  #moves = 0;
  readonly #waiting = new Set<() => void>();

  /** Counts this until it ends. */
  async during<Result>(work: PromiseLike<Result>): Promise<Result> {
    this.#statements += 1;
    this.#moves += 1;
    try {
      return await work;
    } finally {
      this.#statements -= 1;
      this.#moved();
    }
  }

  /** The same clock, for whoever sets a timer as the limit of a call, and for nothing else. */
  callsOn(clock: Clock): Clock {
    return {
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      after: (ms, callback) => this.#call(clock, ms, callback),
    };
  }

  /** The sandbox holds one call more, or noticed that the caller of one has left. */
  held(by: 1 | -1): void {
    this.#held += by;
    if (by === -1) this.#leaving -= 1;
    this.#moved();
  }

  /** Whether calls are still open, held ones included. */
  get hasCalls(): boolean {
    return this.#calls > 0;
  }

  /** Resolves when nothing moves by itself any more. Throws where that does not come within a minute of the host's. */
  async quiet(): Promise<void> {
    for (;;) {
      if (!this.#isIdle) await this.#idle();
      const seen = this.#moves;
      await turn();
      if (this.#isIdle && seen === this.#moves) return;
    }
  }

  get #isIdle(): boolean {
    return this.#statements === 0 && this.#leaving === 0 && this.#calls === this.#held;
  }

  /** An answer mostly comes before a process that sleeps could be woken for it. */
  async #idle(): Promise<void> {
    const sleepsAtMs = systemClock.monotonicMs() + AWAKE_MS;
    while (!this.#isIdle && systemClock.monotonicMs() < sleepsAtMs) await turn();
    if (!this.#isIdle) await this.#woken();
  }

  #woken(): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = systemClock.after(STALLED_MS, () => {
        const counts = `${this.#statements} statements, ${this.#calls} calls, ${this.#held} of them held`;
        reject(new Error(`the simulation stands still: ${counts}`));
      });
      const wake = () => {
        cancel();
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
    });
  }

  #call(clock: Clock, ms: number, callback: () => void): () => void {
    let isOpen = true;
    const end = () => {
      isOpen = false;
      this.#calls -= 1;
      this.#moved();
    };
    this.#calls += 1;
    this.#moves += 1;
    const cancel = clock.after(ms, () => {
      this.#leaving += 1;
      end();
      callback();
    });
    return () => {
      if (!isOpen) return;
      cancel();
      end();
    };
  }

  #moved(): void {
    this.#moves += 1;
    if (this.#isIdle) for (const wake of this.#waiting) wake();
  }
}

const STALLED_MS = 60_000;
/** On a single core the database would have to wait for us meanwhile. */
const AWAKE_MS = availableParallelism() > 1 ? 5 : 0;
