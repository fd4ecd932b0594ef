/** What the client asked, whole: it is forwarded in one piece or not at all. */
export type Request = {
  readonly bytes: Buffer;
  /** What faults are matched against; null for what belongs to no request, passes as it is and has no reply. */
  readonly subject: string | null;
};

/** Bytes of the reply to the oldest request that has not been answered yet. */
export type ReplyPiece = {
  readonly bytes: Buffer;
  /** A `prompt` is what the client has to act on before there can be more: nothing may hold it back. */
  readonly part: 'prompt' | 'more' | 'last';
};

/** One connection's two streams, taken apart. */
export interface Wire {
  fromClient(chunk: Buffer): Request[];
  fromServer(chunk: Buffer): ReplyPiece[];
  /** The server has closed its side; ends a reply that knows no other end. */
  serverEnded(): ReplyPiece[];
}

/** Bytes that arrived and wait for the rest of their message. */
export class Gathered {
  #bytes: Buffer = Buffer.alloc(0);

  get bytes(): Buffer {
    return this.#bytes;
  }

  add(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
  }

  /** The first `length` bytes, or as many as there are. */
  take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }
}
