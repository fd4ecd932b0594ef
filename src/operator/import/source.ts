import { type FileHandle, open } from 'node:fs/promises';
import { InputError } from '../../billing/errors.ts';
import type { SourceRow } from './columns.ts';
import { csvRows } from './csv.ts';
import { decodeText, FileFault } from './decode.ts';
import { jsonArray } from './json-array.ts';
import { jsonLines } from './json-lines.ts';

/**
 * Reads a file row by row in bounded memory: a JSON array of objects if it begins with `[`, JSON Lines if with `{`,
 * else CSV. After a fault that hides the rows behind it, that fault is the last thing answered. Throws InputError when
 * the file cannot be opened.
 */
export async function* readRows(path: string): AsyncGenerator<SourceRow> {
  const file = await openFile(path);
  try {
    yield* rowsOf(decodeText(file.createReadStream({ autoClose: false, highWaterMark: CHUNK })));
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    yield { kind: 'problem', line: error.line, reason: error.message };
  } finally {
    await file.close();
  }
}

async function* rowsOf(text: AsyncGenerator<string>): AsyncGenerator<SourceRow> {
  let head = '';
  for (;;) {
    const next = await text.next();
    if (next.done === true) throw new FileFault(1, 'the file is empty');
    head += next.value;
    const first = /\S/.exec(head)?.[0];
    if (first === undefined) continue;
    const whole = prepend(head, text);
    if (first === '[') yield* jsonArray(whole);
    else if (first === '{') yield* jsonLines(whole);
    else yield* csvRows(whole);
    return;
  }
}

async function* prepend(head: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield head;
  yield* rest;
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    const file = await open(path);
    if (!(await file.stat()).isDirectory()) return file;
    await file.close();
  } catch (cause) {
    const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : cause;
    throw new InputError(`cannot read '${path}' (${code})`, 'check the path and who may read it');
  }
  throw new InputError(`'${path}' is a folder`, 'name a CSV or JSON file');
}

const CHUNK = 65_536;
