import type { Ring } from '../../../src/store/due.ts';
import type { Chance } from './chance.ts';

/** The queue as little as it may be: rings that come late, twice, in any order, or never. */
export class Doorbell {
  readonly #chance: Chance;
  readonly #waiting: { readonly ring: Ring; readonly atMs: number }[] = [];

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** `troubled`: rings are lost, doubled and held up. */
  add(rings: readonly Ring[], nowMs: number, troubled: boolean): void {
    for (const ring of rings) {
      const draw = troubled ? this.#chance.next() : 1;
      if (draw < 0.15) continue;
      const lateMs = draw < 0.45 ? this.#chance.pick([1_000, 60_000, 119_000, 121_000, 600_000, 10_800_000]) : 0;
      this.#waiting.push({ ring, atMs: nowMs + lateMs });
      if (draw > 0.45 && draw < 0.6) this.#waiting.push({ ring, atMs: nowMs + this.#chance.below(200_000) });
    }
  }

  /** A queue that gives a job again which its worker never finished. */
  again(ring: Ring, atMs: number): void {
    this.#waiting.push({ ring, atMs });
  }

  get nextAtMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { atMs } of this.#waiting) if (atMs < next) next = atMs;
    return next;
  }

  /** Any of those that have arrived; the queue promises no order. */
  take(nowMs: number): Ring | null {
    const arrived = this.#waiting.filter(({ atMs }) => atMs <= nowMs);
    if (arrived.length === 0) return null;
    const taken = this.#chance.pick(arrived);
    this.#waiting.splice(this.#waiting.indexOf(taken), 1);
    return taken.ring;
  }
}
