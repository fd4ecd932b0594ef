import { turn } from '../../../src/clock.ts';

export type CallKind = 'store' | 'gateway' | 'post' | 'queue' | 'failpoint';

/** A call of an actor that waits for its turn; once it took effect, only its answer is on the way. */
export type Parked = {
  readonly what: string;
  readonly kind: CallKind;
  readyAtMs: number;
  /** What came of it, for a timeline. */
  said: unknown;
  isTaken: boolean;
  /** One pause a call, so that a bound on pauses bounds their sum. */
  wasPaused: boolean;
  /** Has it take effect. What it throws is its answer. */
  take(): void;
  /** From now on the actor is told this, whatever came of the call. */
  fail(error: Error): void;
  /** Hands the answer over. */
  hand(): void;
};

/**
 * Somebody who does one thing after another: a worker's job, a scheduler's pass. What it asks for at once takes its turns one
 * after the other. Dropped when its process dies.
 */
export class Actor {
  parked: Parked | null = null;
  /** Calls made beside the parked one, in their order. */
  readonly beside: Parked[] = [];
  isAlive = true;
  /** When its last intent was committed. */
  intendedAtMs = Number.NEGATIVE_INFINITY;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** An answer that takes time to arrive. */
export class Delayed<Result> {
  readonly value: Result;
  readonly afterMs: number;

  constructor(value: Result, afterMs: number) {
    this.value = value;
    this.afterMs = afterMs;
  }
}

/**
 * Runs actors one step at a time: each call parks its actor, and nothing moves until it is handed its answer. Between
 * two calls an actor runs alone, so a schedule is the order of the calls and nothing else.
 */
export class Stage {
  nowMs: number;
  readonly acting: Actor[] = [];
  #moved: (() => void) | null = null;

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  /** Parks the actor until its turn; a dead one waits for ever. */
  call<Result>(actor: Actor, what: string, kind: CallKind, effect: () => Result | Delayed<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (!actor.isAlive) return;
      const parked = this.#parked({ what, kind }, effect, { resolve, reject });
      if (actor.parked !== null) return void actor.beside.push(parked);
      actor.parked = parked;
      this.#moved?.();
    });
  }

  /** Lets an actor begin; resolves when it waits for its first call, or is through. `run` must not reject. */
  async begin(actor: Actor, run: () => Promise<void>): Promise<void> {
    this.acting.push(actor);
    const moved = this.#untilMoved();
    void run().then(() => this.leave(actor));
    await moved;
  }

  /** Hands an answer over; resolves when the actor waits again, or is through. */
  async hand(actor: Actor, parked: Parked): Promise<void> {
    const next = actor.beside.shift() ?? null;
    actor.parked = next;
    const moved = next === null ? this.#untilMoved() : turn();
    parked.hand();
    await moved;
  }

  /** Takes the actor off: dead, or through with its work. */
  leave(actor: Actor): void {
    actor.isAlive = false;
    actor.parked = null;
    actor.beside.length = 0;
    const at = this.acting.indexOf(actor);
    if (at >= 0) this.acting.splice(at, 1);
    this.#moved?.();
  }

  #parked<Result>(
    { what, kind }: Pick<Parked, 'what' | 'kind'>,
    effect: () => Result | Delayed<Result>,
    { resolve, reject }: { resolve: (value: Result) => void; reject: (error: Error) => void },
  ): Parked {
    let hand = () => {};
    const parked: Parked = {
      what,
      kind,
      readyAtMs: this.nowMs,
      said: undefined,
      isTaken: false,
      wasPaused: false,
      take: () => {
        parked.isTaken = true;
        try {
          const answer = effect();
          const isDelayed = answer instanceof Delayed;
          if (isDelayed) parked.readyAtMs = this.nowMs + answer.afterMs;
          const value = isDelayed ? answer.value : answer;
          parked.said = value;
          hand = () => resolve(value);
        } catch (error) {
          parked.fail(error instanceof Error ? error : new Error(String(error)));
        }
      },
      fail: (error) => {
        parked.isTaken = true;
        parked.said = error.message;
        hand = () => reject(error);
      },
      hand: () => hand(),
    };
    return parked;
  }

  #untilMoved(): Promise<void> {
    return new Promise((resolve) => {
      this.#moved = () => {
        this.#moved = null;
        resolve();
      };
    });
  }
}
