import type { Clock } from '../clock.ts';

type Timer = { readonly dueMs: number; readonly callback: () => void };

/** Time that stands still until it is moved. Timers fire one by one, in the order in which they are due. */
export class VirtualClock implements Clock {
  readonly #startMs: number;
  #nowMs: number;
  /** The earliest first; of those due together, the one set first. */
  readonly #timers: Timer[] = [];

  constructor(startMs: number) {
    this.#startMs = startMs;
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + Math.max(ms, 0), callback };
    let index = this.#timers.length;
    while (index > 0 && (this.#timers[index - 1]?.dueMs ?? 0) > timer.dueMs) index -= 1;
    this.#timers.splice(index, 0, timer);
    return () => {
      const place = this.#timers.indexOf(timer);
      if (place >= 0) this.#timers.splice(place, 1);
    };
  }

  /** When the earliest timer is due; infinity where there is none. */
  nextMs(): number {
    return this.#timers[0]?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  /** Moves on. No timer fires by that. Throws RangeError for an instant that is past. */
  moveTo(ms: number): void {
    if (ms < this.#nowMs) throw new RangeError('time does not run backwards');
    this.#nowMs = ms;
  }

  /** Fires the earliest timer that is due by now, and it alone. Returns whether there was one. */
  fireOne(): boolean {
    if (this.nextMs() > this.#nowMs) return false;
    this.#timers.shift()?.callback();
    return true;
  }
}
