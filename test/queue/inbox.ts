/** What handlers were given, in order. Tests wait for it instead of sleeping. */
export class Inbox<Item> {
  readonly all: Item[] = [];
  #taken = 0;
  readonly #waiting: (() => void)[] = [];

  put(item: Item): void {
    this.all.push(item);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** The next `count` items, as soon as they are there. */
  async take(count: number): Promise<Item[]> {
    while (this.all.length < this.#taken + count) await new Promise<void>((wake) => this.#waiting.push(wake));
    this.#taken += count;
    return this.all.slice(this.#taken - count, this.#taken);
  }
}

/** A door that stays shut until it is opened, for good. */
export type Gate = { readonly passed: Promise<void>; open(): void };

export function gate(): Gate {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}
