import { InputError } from '../billing/errors.ts';
import { type Entry, parseEntry } from './entry.ts';

/**
 * Reads a ledger file (its format: `entry.ts`) as it grows: hand it the file's bytes in order, cut anywhere, and it
 * gives the entries whose lines are complete. A last line that is cut short waits for its rest.
 */
export class LedgerReader {
  readonly #path: string;
  readonly #decoder = new TextDecoder();
  #rest = '';
  #lines = 0;

  /** The path is for messages only. */
  constructor(path: string) {
    this.#path = path;
  }

  /** The entries that these bytes complete. Throws InputError, naming the line, for one that is no entry. */
  read(bytes: Uint8Array): Entry[] {
    // Newlines only: node:readline also splits at U+2028, which JSON text may hold.
    const lines = `${this.#rest}${this.#decoder.decode(bytes, { stream: true })}`.split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.map((line) => this.#parse(line));
  }

  #parse(line: string): Entry {
    this.#lines += 1;
    try {
      return parseEntry(line);
    } catch (cause) {
      const remedy = 'restore the file from a copy, or move it away to start with an empty sandbox';
      const problem = `line ${this.#lines} of ${this.#path} is not a ledger entry`;
      throw Object.assign(new InputError(problem, remedy), { cause });
    }
  }
}
