import { Gathered, type ReplyPiece, type Request, type Wire } from './wire.ts';

/**
 * Redis's protocol, RESP2 and RESP3, one reply to each command (so no `SUBSCRIBE` over RESP2). The subject is the
 * command's name in lower case. Inside MULTI the reply to a command says only that it is queued: match `exec` there.
 */
export class RedisWire implements Wire {
  readonly #client = new Gathered();
  readonly #server = new Gathered();

  fromClient(chunk: Buffer): Request[] {
    this.#client.add(chunk);
    return takeFrames(this.#client).map((bytes) => ({ bytes, subject: nameOf(bytes) }));
  }

  fromServer(chunk: Buffer): ReplyPiece[] {
    this.#server.add(chunk);
    return takeFrames(this.#server).map((bytes) => ({
      bytes,
      part: UNASKED.has(firstOf(bytes, 0)) ? 'prompt' : 'last',
    }));
  }

  serverEnded(): ReplyPiece[] {
    return [];
  }
}

function takeFrames(gathered: Gathered): Buffer[] {
  const frames: Buffer[] = [];
  for (let end = frameEnd(gathered.bytes, 0); end !== null; end = frameEnd(gathered.bytes, 0)) {
    frames.push(gathered.take(end));
  }
  return frames;
}

/** Where the frame that starts at `start` ends, or null while its end is not there. */
function frameEnd(bytes: Buffer, start: number): number | null {
  const lineEnd = bytes.indexOf('\r\n', start);
  if (lineEnd < 0) return null;
  const type = firstOf(bytes, start);
  if (BLOBS.has(type)) {
    const length = countAt(bytes, start, lineEnd);
    return within(bytes, length < 0 ? lineEnd + 2 : lineEnd + 2 + length + 2);
  }
  const children = countAt(bytes, start, lineEnd) * (PARTS.get(type) ?? 0);
  let end: number | null = lineEnd + 2;
  for (let child = 0; child < children && end !== null; child += 1) end = frameEnd(bytes, end);
  if (type === '|' && end !== null) return frameEnd(bytes, end); // an attribute stands before what it describes
  return end;
}

function within(bytes: Buffer, end: number): number | null {
  return end <= bytes.length ? end : null;
}

/** The number in a frame's first line; 0 for a frame that has none. */
function countAt(bytes: Buffer, start: number, lineEnd: number): number {
  const count = Number(bytes.toString('latin1', start + 1, lineEnd));
  return Number.isInteger(count) ? count : 0;
}

function firstOf(bytes: Buffer, start: number): string {
  return bytes.toString('latin1', start, start + 1);
}

/** `*2\r\n$4\r\nXADD\r\n…`, or the same as a line of words. */
function nameOf(frame: Buffer): string {
  const lines = frame.toString('latin1', 0, 256).split('\r\n');
  const name = firstOf(frame, 0) === '*' ? lines[2] : lines[0]?.split(' ')[0];
  return (name ?? '').toLowerCase();
}

/** Types whose first line is followed by so many bytes. */
const BLOBS: ReadonlySet<string> = new Set(['$', '!', '=']);
/** Types whose first line is followed by so many frames, and frames per entry. */
const PARTS: ReadonlyMap<string, number> = new Map([
  ['*', 1],
  ['~', 1],
  ['>', 1],
  ['%', 2],
  ['|', 2],
]);
/** A push answers nothing. */
const UNASKED: ReadonlySet<string> = new Set(['>']);
