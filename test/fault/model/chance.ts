/** Numbers that follow from a seed alone: the same seed, the same choices. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number in 0…1, the 1 excluded (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    const state = this.#state;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number in 0…`below`, `below` excluded. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** Whether something of this likelihood happens. */
  hits(likelihood: number): boolean {
    return likelihood > 0 && this.next() < likelihood;
  }

  /** One of them, all alike. Throws RangeError where there is none. */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('there is nothing to pick from');
    return item;
  }
}

/** A generator of its own for each purpose, so that one fault more or less leaves the others as they were. */
export function chanceFor(seed: number, purpose: string): Chance {
  let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b);
  for (let index = 0; index < purpose.length; index += 1) {
    mixed = Math.imul(mixed ^ purpose.charCodeAt(index), 0xc2b2ae35);
    mixed ^= mixed >>> 15;
  }
  return new Chance(mixed);
}
