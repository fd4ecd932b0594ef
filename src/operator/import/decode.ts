import { isUtf8 } from 'node:buffer';

/** A file that cannot be read any further: it has no rows from this line on. */
export class FileFault extends Error {
  readonly line: number;

  constructor(line: number, reason: string) {
    super(reason);
    this.line = line;
  }
}

/**
 * Decodes UTF-8 with or without a byte-order mark; every line end becomes `\n`. Throws FileFault with its line at the
 * first byte that is not UTF-8 and at a NUL.
 */
export async function* decodeText(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const state = { line: 1, heldReturn: false, first: true };
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([rest, chunk]);
    const end = completeLength(bytes);
    rest = bytes.subarray(end);
    yield decodeBlock(bytes.subarray(0, end), state);
  }
  yield decodeBlock(rest, state); // half a character at the very end is refused here
  if (state.heldReturn) yield '\n';
}

type DecodeState = { line: number; heldReturn: boolean; first: boolean };

function decodeBlock(block: Buffer, state: DecodeState): string {
  if (!isUtf8(block)) {
    throw new FileFault(faultLine(block, state.line), 'not UTF-8; save the file as "CSV UTF-8" or convert it');
  }
  if (block.includes(0)) {
    const before = block.subarray(0, block.indexOf(0));
    throw new FileFault(state.line + countOf(before, NEWLINE), 'a NUL character; this is no text file in UTF-8');
  }
  state.line += countOf(block, NEWLINE);
  let text = block.toString('utf8');
  if (state.first && text !== '') {
    state.first = false;
    if (text.startsWith('\uFEFF')) text = text.slice(1);
  }
  if (state.heldReturn) text = `\r${text}`;
  state.heldReturn = text.endsWith('\r'); // its \n may be in the next block
  if (state.heldReturn) text = text.slice(0, -1);
  return text.replaceAll(/\r\n?/g, '\n');
}

/** How many bytes make whole characters; the last one may go on in the next chunk. */
function completeLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes.at(-back) ?? 0;
    if (byte < 0x80) return bytes.length;
    if (byte < 0xc0) continue; // a later byte of a character
    const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return size > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function faultLine(block: Buffer, firstLine: number): number {
  let line = firstLine;
  for (let start = 0; start < block.length; line += 1) {
    const newline = block.indexOf(NEWLINE, start);
    const end = newline === -1 ? block.length : newline;
    if (!isUtf8(block.subarray(start, end))) return line;
    start = end + 1;
  }
  return line;
}

function countOf(bytes: Buffer, byte: number): number {
  let count = 0;
  for (let at = bytes.indexOf(byte); at !== -1; at = bytes.indexOf(byte, at + 1)) count += 1;
  return count;
}

const NEWLINE = 0x0a;
