import type { Clock } from '../clock.ts';

/**
 * Works on jobs, so many at a time. Each begins by a timer of its own, so that on a virtual clock one job is at work
 * until it ends or waits for the clock, and only then the next: always in the same order.
 */
export class Lanes<Job> {
  readonly #clock: Clock;
  readonly #width: number;
  readonly #work: (job: Job) => Promise<void>;
  readonly #waiting: Job[] = [];
  #active = 0;

  constructor(clock: Clock, width: number, work: (job: Job) => Promise<void>) {
    this.#clock = clock;
    this.#width = width;
    this.#work = work;
  }

  /** Takes jobs in, behind those that wait. */
  add(jobs: readonly Job[]): void {
    this.#waiting.push(...jobs);
    this.#fill();
  }

  /** Forgets the jobs that nobody has begun. */
  forget(): void {
    this.#waiting.length = 0;
  }

  #fill(): void {
    while (this.#active < this.#width) {
      const job = this.#waiting.shift();
      if (job === undefined) return;
      this.#active += 1;
      this.#clock.after(0, () => void this.#run(job));
    }
  }

  async #run(job: Job): Promise<void> {
    try {
      await this.#work(job);
    } finally {
      this.#active -= 1;
      this.#fill();
    }
  }
}
