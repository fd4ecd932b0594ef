import type { SourceRow } from './columns.ts';
import { FileFault } from './decode.ts';
import { rowOf } from './json-row.ts';

/**
 * Reads the objects of a JSON array one at a time. Cuts the array up itself, because the streaming parsers at hand do
 * not tell lines, and read long numbers as other ones in silence. Throws FileFault where it is not JSON.
 */
export async function* jsonArray(text: AsyncIterable<string>): AsyncGenerator<SourceRow> {
  const cutter = new ArrayCutter();
  let row = 0;
  for await (const chunk of text) {
    for (const { line, source } of cutter.cut(chunk)) {
      row += 1;
      yield* rowOf(parse(source, line), line, ` (row ${row})`);
    }
  }
  cutter.end();
}

type Open = { readonly line: number; source: string; depth: number; inString: boolean; escaped: boolean };
type Piece = { readonly line: number; readonly source: string };

/** Finds where each object of an array begins and ends. Knows braces and strings; JSON.parse judges the rest. */
class ArrayCutter {
  #expects: Expected = 'array';
  #line = 1;
  #rows = 0;
  /** The object that has begun and not ended. */
  #open: Open | null = null;

  /** Answers the objects that end in this chunk of text. */
  *cut(chunk: string): Generator<Piece> {
    let start = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const character = chunk.charAt(at);
      if (this.#open === null && this.#begins(character)) start = at;
      if (this.#open !== null && this.#ends(this.#open, character)) {
        yield { line: this.#open.line, source: this.#open.source + chunk.slice(start, at + 1) };
        this.#open = null;
      }
      if (character === '\n') this.#line += 1;
    }
    if (this.#open === null) return;
    this.#open.source += chunk.slice(start);
    if (this.#open.source.length > MAX_PIECE) {
      throw new FileFault(this.#open.line, 'a row of more than 64 KB; a quote or a brace is missing');
    }
  }

  /** Throws FileFault unless the array is over. */
  end(): void {
    if (this.#expects !== 'nothing') throw new FileFault(this.#line, 'the array is never closed; is the file whole?');
  }

  #begins(character: string): boolean {
    if (/\s/.test(character)) return false;
    const next = NEXT[`${this.#expects} ${character}`];
    if (next === undefined) {
      const row = this.#expects === 'first' || this.#expects === 'object' ? ` (row ${this.#rows + 1})` : '';
      throw new FileFault(this.#line, `${WANTED[this.#expects]}, not '${character}'${row}`);
    }
    this.#expects = next;
    if (character !== '{') return false;
    this.#rows += 1;
    this.#open = { line: this.#line, source: '', depth: 0, inString: false, escaped: false };
    return true;
  }

  #ends(open: Open, character: string): boolean {
    if (open.inString) {
      if (open.escaped) open.escaped = false;
      else if (character === '\\') open.escaped = true;
      else if (character === '"') open.inString = false;
      return false;
    }
    if (character === '"') open.inString = true;
    else if (character === '{') open.depth += 1;
    else if (character === '}') open.depth -= 1;
    return open.depth === 0;
  }
}

function parse(source: string, line: number): unknown {
  try {
    return JSON.parse(source);
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const position = Number(/ at position (\d+)/.exec(message)?.[1] ?? 0);
    const breaks = source.slice(0, position).split('\n').length - 1;
    throw new FileFault(line + breaks, `not JSON: ${message.replace(/ (at position|in JSON at).*/s, '')}`);
  }
}

type Expected = 'array' | 'first' | 'object' | 'comma' | 'nothing';
const NEXT: Readonly<Record<string, Expected>> = {
  'array [': 'first',
  'first {': 'comma',
  'first ]': 'nothing',
  'object {': 'comma',
  'comma ,': 'object',
  'comma ]': 'nothing',
};
const WANTED: Readonly<Record<Expected, string>> = {
  array: 'an array must begin here',
  first: 'an object or ] must follow',
  object: 'an object must follow',
  comma: 'a comma or ] must follow',
  nothing: 'nothing may follow the array',
};
const MAX_PIECE = 65_536;
