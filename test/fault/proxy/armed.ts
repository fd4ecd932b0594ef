import type { Clock } from '../../../src/clock.ts';
import type { ArmedFault, Firing } from './fault.ts';

/** One armed fault: draws its chances, counts what it did, and can be taken back. */
export class Armed<Fault extends ArmedFault = ArmedFault> {
  readonly fault: Fault;
  readonly #draw: () => number;
  readonly #report: (firing: Firing) => void;
  readonly #clock: Clock;
  readonly #waiting: ((firing: Firing) => void)[] = [];
  readonly #ends = new Set<() => void | Promise<void>>();
  readonly #rate: number;
  #left: number;
  #fired = 0;

  constructor(fault: Fault, clock: Clock, report: (firing: Firing) => void) {
    const chance = { times: 1, rate: 1, seed: 1, ...fault };
    this.fault = fault;
    this.#left = chance.times;
    this.#rate = chance.rate;
    this.#draw = seeded(chance.seed);
    this.#clock = clock;
    this.#report = report;
  }

  /** How often it did its deed. */
  get fired(): number {
    return this.#fired;
  }

  /** It strikes no more, and nothing of it lasts. */
  get over(): boolean {
    return this.#left <= 0 && this.#ends.size === 0;
  }

  /** The next firing from now on. */
  next(): Promise<Firing> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Strikes no more, and ends what still lasts: black holes and refusing. Twice is fine. */
  async disarm(): Promise<void> {
    this.#left = 0;
    for (const end of this.#ends) {
      this.#ends.delete(end);
      await end();
    }
  }

  /** Whether this chance is taken; for the proxy alone. */
  takes(subject: string): boolean {
    const { match } = { match: undefined, ...this.fault };
    if (this.#left <= 0 || (match !== undefined && subject.search(match) < 0)) return false;
    if (this.#rate < 1 && this.#draw() >= this.#rate) return false;
    this.#left -= 1;
    return true;
  }

  /** The deed is done; for the proxy alone. */
  fire(subject: string, connection: number): void {
    this.#fired += 1;
    const firing = { kind: this.fault.kind, subject, connection, atMs: this.#clock.nowMs() };
    this.#report(firing);
    for (const resolve of this.#waiting.splice(0)) resolve(firing);
  }

  /** Resolves after `ms`, or when this fault is disarmed; for the proxy alone. */
  lasting(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#ends.delete(end);
        resolve();
      };
      const cancel = this.#clock.after(ms, end);
      this.#ends.add(end);
    });
  }

  /** Runs when this fault is disarmed; for the proxy alone. */
  whenDisarmed(end: () => Promise<void>): void {
    this.#ends.add(end);
  }
}

/** Numbers from 0 up to 1, the same ones for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
