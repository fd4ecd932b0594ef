import { InputError } from '../../billing/errors.ts';
import type { Cells, Column } from './columns.ts';

/** Reads the cells of one row and collects what is wrong with them, so that all of it is told at once. */
export class RowReader {
  readonly problems: string[] = [];
  readonly #cells: Cells;

  constructor(cells: Cells) {
    this.#cells = cells;
    for (const [column, text] of cells) {
      if (UNSTORABLE.test(text)) this.problems.push(`${column}: holds a character that cannot be stored`);
    }
  }

  /** The cell as written; null if blank. */
  text(column: Column): string | null {
    return this.#cells.get(column) ?? null;
  }

  /** The cell read by `parse`, null if it is blank. A thrown InputError becomes a problem, and null. */
  read<Value>(column: Column, parse: (text: string) => Value): Value | null {
    const text = this.text(column);
    return text === null ? null : this.attempt(column, () => parse(text));
  }

  /** The same, but a blank is a problem unless something else fills it. */
  need<Value>(column: Column, parse: (text: string) => Value, filled: Value | null = null): Value | null {
    if (this.text(column) !== null) return this.read(column, parse);
    if (filled === null) this.problems.push(`${column} is missing`);
    return filled;
  }

  /** Runs a rule about a column; a thrown InputError becomes a problem, and null. */
  attempt<Value>(column: Column, rule: () => Value): Value | null {
    try {
      return rule();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.problems.push(`${column}: ${error.message}`);
      return null;
    }
  }
}

/** Postgres stores neither NUL nor half a surrogate pair, which JSON can both spell. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;
