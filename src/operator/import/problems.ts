import { InputError } from '../../billing/errors.ts';

/** What is wrong with one row, and where: the line of the file on which the row begins, from 1. */
export type RowProblem = { readonly line: number; readonly reason: string };

/** A file was refused and nothing of it was imported. The message names the first problems by line. */
export class ImportError extends InputError {
  /** The first problems, in the order of the file. */
  readonly problems: readonly RowProblem[];
  /** How many there are in all. */
  readonly total: number;

  constructor(file: string, problems: readonly RowProblem[], total: number) {
    const lines = problems.map(({ line, reason }) => `line ${line}: ${reason}`);
    const more = total > problems.length ? [`and ${total - problems.length} more`] : [];
    const head = `${file}: ${total === 1 ? '1 problem' : `${total} problems`}, nothing was imported`;
    super([head, ...lines, ...more].join('\n'), 'correct the file and import it again');
    this.problems = problems;
    this.total = total;
  }
}

/** Problems found so far. Keeps the first `MAX_SHOWN` by line, and counts them all, so that no file can fill memory. */
export class ProblemList {
  #kept: RowProblem[] = [];
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(line: number, reason: string): void {
    this.addAll([{ line, reason }], 1);
  }

  /** Adds the first of `total` problems found at once. */
  addAll(problems: readonly RowProblem[], total: number): void {
    this.#total += total;
    this.#kept.push(...problems);
    if (this.#kept.length > 2 * MAX_SHOWN) this.#trim();
  }

  /** Throws ImportError if there are any. */
  refuse(file: string): void {
    this.#trim();
    if (this.#total > 0) throw new ImportError(file, this.#kept, this.#total);
  }

  #trim(): void {
    this.#kept = this.#kept.toSorted((a, b) => a.line - b.line).slice(0, MAX_SHOWN);
  }
}

/** Problems that a message names; the others are counted. */
export const MAX_SHOWN = 50;
