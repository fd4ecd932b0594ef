/** What happens by itself at an instant: a late capture, a flip, a person's decision. The earliest first. */
export class Agenda {
  readonly #entries: { readonly atMs: number; readonly what: string; readonly run: () => void }[] = [];

  at(atMs: number, what: string, run: () => void): void {
    let index = this.#entries.length;
    while (index > 0 && (this.#entries[index - 1]?.atMs ?? 0) > atMs) index -= 1;
    this.#entries.splice(index, 0, { atMs, what, run });
  }

  /** When the next of them is due; Infinity for none. */
  get nextAtMs(): number {
    return this.#entries[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** What the next of them is. */
  get nextWhat(): string {
    return this.#entries[0]?.what ?? 'nothing';
  }

  /** Does the earliest. */
  next(): void {
    this.#entries.shift()?.run();
  }
}
