import type { Gathered } from './wire.ts';

/** The body of one HTTP/1.1 message, as its head announces it, read as it arrives. */
export class HttpBody {
  #left: number;
  #stage: 'bytes' | 'size' | 'trailer';

  /** `unannounced`: how long a body is whose head does not tell: 0, or Infinity for one that ends with the connection. */
  constructor(head: string, unannounced: number) {
    const chunked = /^transfer-encoding:.*\bchunked\b/im.test(head);
    this.#left = chunked ? 0 : Number(/^content-length:\s*(\d+)/im.exec(head)?.[1] ?? unannounced);
    this.#stage = chunked ? 'size' : 'bytes';
  }

  get endsWithConnection(): boolean {
    return this.#left === Infinity;
  }

  /** Takes what belongs to the body and is there. */
  read(from: Gathered): { readonly bytes: Buffer; readonly ended: boolean } {
    if (this.#stage === 'bytes') {
      const bytes = this.#take(from);
      return { bytes, ended: this.#left === 0 };
    }
    const parts: Buffer[] = [];
    for (;;) {
      if (this.#left > 0) parts.push(this.#take(from));
      const lineEnd = this.#left > 0 ? -1 : from.bytes.indexOf('\r\n');
      if (lineEnd < 0) return { bytes: Buffer.concat(parts), ended: false };
      const line = from.take(lineEnd + 2);
      parts.push(line);
      if (this.#stage === 'trailer') {
        if (lineEnd === 0) return { bytes: Buffer.concat(parts), ended: true };
      } else this.#startChunk(Number.parseInt(line.toString('latin1'), 16));
    }
  }

  #startChunk(size: number): void {
    if (size === 0) this.#stage = 'trailer';
    else this.#left = size + 2; // with the line end after it
  }

  #take(from: Gathered): Buffer {
    const bytes = from.take(this.#left);
    this.#left -= bytes.length;
    return bytes;
  }
}
