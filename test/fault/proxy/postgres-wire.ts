import { Gathered, type ReplyPiece, type Request, type Wire } from './wire.ts';

/**
 * PostgreSQL's protocol 3 without TLS. A request is what the server answers with one ReadyForQuery: everything up to
 * Sync, or one simple query. Its subject is the SQL text, white space collapsed, also when only the name of a prepared
 * statement travels; the start of a session has the subject `startup`.
 */
export class PostgresWire implements Wire {
  readonly #client = new Gathered();
  readonly #server = new Gathered();
  readonly #prepared = new Map<string, string>();
  #started = false;
  #encryptionAsked = false;
  #flushed = false;
  #group: Buffer[] = [];
  #sql: string[] = [];

  fromClient(chunk: Buffer): Request[] {
    this.#client.add(chunk);
    const requests: Request[] = [];
    for (;;) {
      const message = takeMessage(this.#client, this.#started ? 1 : 0);
      if (message === null) return requests;
      const request = this.#started ? this.#read(message) : this.#start(message);
      if (request !== null) requests.push(request);
    }
  }

  fromServer(chunk: Buffer): ReplyPiece[] {
    this.#server.add(chunk);
    const pieces: ReplyPiece[] = [];
    if (this.#encryptionAsked && chunk.length > 0) {
      this.#encryptionAsked = false;
      pieces.push({ bytes: this.#server.take(1), part: 'prompt' }); // one bare letter, and the start is still to come
    }
    for (;;) {
      const message = takeMessage(this.#server, 1);
      if (message === null) return pieces;
      pieces.push({ bytes: message, part: partOf(message) });
    }
  }

  serverEnded(): ReplyPiece[] {
    return [];
  }

  #start(bytes: Buffer): Request {
    const code = bytes.readInt32BE(4);
    if (code === CANCEL_REQUEST) return { bytes, subject: null };
    this.#encryptionAsked = code === SSL_REQUEST || code === GSS_REQUEST;
    this.#started = !this.#encryptionAsked;
    return { bytes, subject: this.#started ? 'startup' : null };
  }

  #read(bytes: Buffer): Request | null {
    const type = typeOf(bytes);
    if (PASSING.has(type)) return { bytes, subject: null };
    if (type === 'P') this.#parsed(bytes);
    if (type === 'B') this.#sql.push(this.#prepared.get(textAt(bytes, textEnd(bytes, 5) + 1)) ?? '');
    if (type === 'Q') this.#sql.push(textAt(bytes, 5));
    this.#group.push(bytes);
    if (!ENDING.has(type)) return null;
    const subject = this.#flushed ? null : collapse(this.#sql.join('; '));
    const whole = Buffer.concat(this.#group);
    this.#group = [];
    this.#sql = [];
    this.#flushed = type === 'H'; // what follows up to Sync belongs to the same request
    return { bytes: whole, subject };
  }

  #parsed(bytes: Buffer): void {
    const nameEnd = textEnd(bytes, 5);
    this.#prepared.set(bytes.toString('utf8', 5, nameEnd), textAt(bytes, nameEnd + 1));
  }
}

/** A whole message whose length stands after `prefix` bytes, or null. */
function takeMessage(gathered: Gathered, prefix: number): Buffer | null {
  if (gathered.bytes.length < prefix + 4) return null;
  const length = prefix + gathered.bytes.readInt32BE(prefix);
  return gathered.bytes.length < length ? null : gathered.take(length);
}

function typeOf(message: Buffer): string {
  return String.fromCharCode(message.readUInt8(0));
}

function partOf(message: Buffer): ReplyPiece['part'] {
  const type = typeOf(message);
  if (type === 'Z') return 'last';
  const asksBack = COPYING.has(type) || (type === 'R' && message.readInt32BE(5) !== AUTHENTICATED);
  return asksBack ? 'prompt' : 'more';
}

function textEnd(bytes: Buffer, start: number): number {
  return bytes.indexOf(0, start);
}

function textAt(bytes: Buffer, start: number): string {
  return bytes.toString('utf8', start, textEnd(bytes, start));
}

function collapse(sql: string): string {
  return sql.replaceAll(/\s+/g, ' ').trim();
}

const CANCEL_REQUEST = 80_877_102;
const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
const AUTHENTICATED = 0;
/** The server asks for the data of a COPY. */
const COPYING: ReadonlySet<string> = new Set(['G', 'W']);
/** Password, Terminate and the data of a COPY: no requests of their own. */
const PASSING: ReadonlySet<string> = new Set(['p', 'X', 'd', 'c', 'f']);
/** Sync, Query and Function call end a request; Flush asks for what there is so far. */
const ENDING: ReadonlySet<string> = new Set(['S', 'Q', 'F', 'H']);
