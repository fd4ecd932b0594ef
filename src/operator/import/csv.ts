import { CsvError, type Parser, parse } from 'csv-parse';
import { type Column, readHeader, type SourceRow } from './columns.ts';
import { FileFault } from './decode.ts';

/**
 * Reads rows of comma-separated values under a header. Blank lines are passed over, fields may hold line breaks inside
 * quotes, and `line` is where the row begins. Throws FileFault where the quoting is broken.
 */
export async function* csvRows(text: AsyncIterable<string>): AsyncGenerator<SourceRow> {
  let columns: Column[] | null = null;
  for await (const { line, fields } of records(text)) {
    if (columns !== null) {
      yield rowOf(line, fields, columns);
      continue;
    }
    const header = readHeader(fields);
    for (const reason of header.problems) yield { kind: 'problem', line, reason };
    if (header.problems.length > 0) return;
    columns = header.columns;
  }
}

type FileRecord = { readonly line: number; readonly fields: readonly string[] };

async function* records(text: AsyncIterable<string>): AsyncGenerator<FileRecord> {
  let ready: FileRecord[] = [];
  let lastLine = 0;
  const parser = parse({
    record_delimiter: '\n',
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MAX_RECORD,
    // Taken here and not from the stream, which forgets the rows before a fault.
    on_record: (record: readonly string[], { lines }) => {
      const breaks = record.reduce((count, field) => count + field.split('\n').length - 1, 0);
      lastLine = lines;
      if (record.some((field) => field.trim() !== ''))
        ready.push({ line: lines - breaks, fields: record.map(trimmed) });
      return null;
    },
  });
  for await (const fault of feed(parser, text)) {
    yield* ready;
    ready = [];
    if (fault !== null) throw fault instanceof CsvError ? quotingFault(fault, lastLine) : fault;
  }
}

/** Answers after each piece of text, and after the end, what went wrong with it. */
async function* feed(parser: Parser, text: AsyncIterable<string>): AsyncGenerator<Error | null> {
  parser.on('error', () => {}); // each comes with its own callback
  parser.resume();
  for await (const piece of text)
    yield await new Promise((done) => parser.write(piece, (error) => done(error ?? null)));
  yield await new Promise((done) => {
    parser.once('error', done).end(() => done(null));
  });
}

function trimmed(field: string): string {
  return field.trim();
}

function rowOf(line: number, fields: readonly string[], columns: readonly Column[]): SourceRow {
  const extra = fields.slice(columns.length);
  if (fields.length < columns.length || extra.some((field) => field !== '')) {
    return { kind: 'problem', line, reason: `${fields.length} fields where the header has ${columns.length}` };
  }
  const cells = new Map<Column, string>();
  for (const [index, column] of columns.entries()) {
    const field = fields[index] ?? '';
    if (field !== '') cells.set(column, field);
  }
  return { kind: 'row', line, note: '', cells };
}

function quotingFault(error: CsvError, lastLine: number): FileFault {
  const remedy = 'put a field with quotes inside quotes, and write each of them twice';
  switch (error.code) {
    case 'CSV_MAX_RECORD_SIZE': {
      const causes = 'a field is too large, or a quote that opens here is never closed';
      return new FileFault(lastLine + 1, `a row of more than ${MAX_RECORD} characters: ${causes}`);
    }
    case 'CSV_QUOTE_NOT_CLOSED':
      return new FileFault(lastLine + 1, `a quote that opens here is never closed; ${remedy}`);
    default:
      return new FileFault(typeof error.lines === 'number' ? error.lines : lastLine + 1, `a stray quote; ${remedy}`);
  }
}

/** Characters of a row at most: beyond, most likely a quote was left open. */
const MAX_RECORD = 65_536;
