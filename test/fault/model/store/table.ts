/** The rows of one table by their key, in the order in which they came. Rows are replaced, never changed. */
export class Table<Row> {
  readonly #rows = new Map<string, Row>();
  readonly #undo: (step: () => void) => void;
  readonly #check: (next: Row, was: Row | undefined) => void;

  /** `undo` is told how each change is taken back; `check` throws where the database would refuse the row. */
  constructor(undo: (step: () => void) => void, check: (next: Row, was: Row | undefined) => void) {
    this.#undo = undo;
    this.#check = check;
  }

  get(key: string): Row | undefined {
    return this.#rows.get(key);
  }

  /** The row of this key, which must be there: a reference leads to it. */
  at(key: string): Row {
    const row = this.#rows.get(key);
    if (row === undefined) throw new Error(`there is no row ${key}`);
    return row;
  }

  all(): MapIterator<Row> {
    return this.#rows.values();
  }

  where(matches: (row: Row) => boolean): Row[] {
    const found: Row[] = [];
    for (const row of this.#rows.values()) if (matches(row)) found.push(row);
    return found;
  }

  put(key: string, next: Row): void {
    const was = this.#rows.get(key);
    this.#check(next, was);
    this.#rows.set(key, next);
    this.#undo(() => void (was === undefined ? this.#rows.delete(key) : this.#rows.set(key, was)));
  }

  /** The rows as they are now; the function returned puts them back. */
  snapshot(): () => void {
    const kept = [...this.#rows];
    return () => {
      this.#rows.clear();
      for (const [key, row] of kept) this.#rows.set(key, row);
    };
  }
}
