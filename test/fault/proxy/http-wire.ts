import { HttpBody } from './http-body.ts';
import { Gathered, type ReplyPiece, type Request, type Wire } from './wire.ts';

/** HTTP/1.1 in the clear. The subject is the method and the path with its query: `POST /subscribe/payments/again`. */
export class HttpWire implements Wire {
  readonly #client = new Gathered();
  readonly #server = new Gathered();
  readonly #methods: string[] = [];
  #asking: { head: Buffer; body: HttpBody; parts: Buffer[] } | null = null;
  #answering: HttpBody | null = null;

  fromClient(chunk: Buffer): Request[] {
    this.#client.add(chunk);
    const requests: Request[] = [];
    for (let request = this.#wholeRequest(); request !== null; request = this.#wholeRequest()) requests.push(request);
    return requests;
  }

  fromServer(chunk: Buffer): ReplyPiece[] {
    this.#server.add(chunk);
    const pieces: ReplyPiece[] = [];
    for (let piece = this.#nextPiece(); piece !== null; piece = this.#nextPiece()) pieces.push(piece);
    return pieces;
  }

  serverEnded(): ReplyPiece[] {
    return this.#answering?.endsWithConnection === true ? [{ bytes: Buffer.alloc(0), part: 'last' }] : [];
  }

  #wholeRequest(): Request | null {
    if (this.#asking === null) {
      const head = takeHead(this.#client);
      if (head === null) return null;
      this.#asking = { head, body: new HttpBody(head.toString('latin1'), 0), parts: [] };
    }
    const { head, body, parts } = this.#asking;
    const { bytes, ended } = body.read(this.#client);
    parts.push(bytes);
    if (!ended) return null;
    this.#asking = null;
    const [method = '', path = ''] = head.toString('latin1').split(' ', 2);
    this.#methods.push(method);
    return { bytes: Buffer.concat([head, ...parts]), subject: `${method} ${path}` };
  }

  #nextPiece(): ReplyPiece | null {
    if (this.#answering === null) return this.#answerHead();
    if (this.#server.bytes.length === 0) return null;
    const { bytes, ended } = this.#answering.read(this.#server);
    if (ended) this.#answering = null;
    return bytes.length === 0 ? null : { bytes, part: ended ? 'last' : 'more' };
  }

  #answerHead(): ReplyPiece | null {
    const bytes = takeHead(this.#server);
    if (bytes === null) return null;
    const head = bytes.toString('latin1');
    const status = Number(head.split(' ', 2)[1]);
    if (status < 200) return { bytes, part: 'prompt' }; // an interim answer, the real one follows
    const method = this.#methods.shift();
    if (method === 'HEAD' || status === 204 || status === 304 || /^content-length:\s*0\s*$/im.test(head)) {
      return { bytes, part: 'last' };
    }
    this.#answering = new HttpBody(head, Infinity);
    return { bytes, part: 'more' };
  }
}

/** From the first line to the empty one, or null while that is not there. */
function takeHead(gathered: Gathered): Buffer | null {
  const end = gathered.bytes.indexOf('\r\n\r\n');
  return end < 0 ? null : gathered.take(end + 4);
}
