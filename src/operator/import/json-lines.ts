import type { SourceRow } from './columns.ts';
import { FileFault } from './decode.ts';
import { rowOf } from './json-row.ts';

/** Reads JSON Lines: one object per line; blank lines are passed over. A line that is not JSON spoils no other. */
export async function* jsonLines(text: AsyncIterable<string>): AsyncGenerator<SourceRow> {
  let line = 0;
  let rest = '';
  for await (const chunk of text) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const one of lines) {
      line += 1;
      if (one.trim() !== '') yield* rowOfLine(one, line);
    }
    if (rest.length > MAX_LINE) throw new FileFault(line + 1, 'a line of more than 64 KB');
  }
  if (rest.trim() !== '') yield* rowOfLine(rest, line + 1);
}

function* rowOfLine(text: string, line: number): Generator<SourceRow> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    yield { kind: 'problem', line, reason: 'not a JSON object on one line; or put the rows in an array, [ … ]' };
    return;
  }
  yield* rowOf(value, line, '');
}

const MAX_LINE = 65_536;
