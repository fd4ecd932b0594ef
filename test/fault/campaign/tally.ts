/** What happened how often, by kind. */
export class Tally {
  readonly #counts: Record<string, Record<string, number>>;

  constructor(counts: Readonly<Record<string, Readonly<Record<string, number>>>> = {}) {
    this.#counts = structuredClone(counts) as Record<string, Record<string, number>>;
  }

  add(group: string, name: string, count = 1): void {
    const names = this.#counts[group] ?? {};
    names[name] = (names[name] ?? 0) + count;
    this.#counts[group] = names;
  }

  of(group: string): Readonly<Record<string, number>> {
    return this.#counts[group] ?? {};
  }

  total(group: string): number {
    return Object.values(this.of(group)).reduce((sum, count) => sum + count, 0);
  }

  toJSON(): Readonly<Record<string, Readonly<Record<string, number>>>> {
    return this.#counts;
  }
}
