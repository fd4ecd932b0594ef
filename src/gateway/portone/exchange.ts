import type { Dispatcher } from 'undici';
import type { Clock } from '../../clock.ts';
import { codeOf, failedBeforeTheWire } from './not-sent.ts';

/** Response headers as read: names in lower case, a repeated one as a list. */
type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A whole answer, as it came: any status, any bytes. Nothing is decompressed. */
export type Answer = {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: Uint8Array;
};

/** What became of one request. */
export type Exchange =
  | Answer
  /** No byte of the request was written, and none will be. */
  | { readonly kind: 'not-sent'; readonly reason: string }
  /** The request may have arrived; nothing usable came back. `timedOut` when our own limit ended the wait. */
  | { readonly kind: 'lost'; readonly reason: string; readonly timedOut: boolean };

export type HttpRequest = {
  readonly method: 'GET' | 'POST';
  /** Below the base URL, starting with `/`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Bounds everything: waiting for a connection, connecting, sending, and the last byte of the answer. */
  readonly timeoutMs: number;
  /** Asked right before the first byte is written, however long a connection was waited for; left out, it always may. */
  readonly mayStart?: () => boolean;
};

/**
 * One request on its way: lives until its answer, its failure or its time limit, whichever is first. It is "not sent"
 * only if undici never began to write it, and it was too late to begin, or the connector itself failed, and in one of the
 * ways that count.
 */
export class RunningExchange implements Dispatcher.DispatchHandler {
  readonly outcome: Promise<Exchange>;
  #resolve: (exchange: Exchange) => void = () => {};
  #cancelLimit: () => void = () => {};
  #controller: Dispatcher.DispatchController | null = null;
  #over = false;
  #mayStart: () => boolean = () => true;
  #status = 0;
  #headers: AnswerHeaders = {};
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  readonly #failedConnects: WeakSet<Error>;

  constructor(failedConnects: WeakSet<Error>) {
    this.#failedConnects = failedConnects;
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  limit(clock: Clock, timeoutMs: number): void {
    this.#cancelLimit = clock.after(timeoutMs, () => this.#giveUp(`no whole answer within ${timeoutMs} ms`, true));
  }

  start(pool: Dispatcher, { method, path, headers, body, mayStart }: HttpRequest): void {
    if (mayStart !== undefined) this.#mayStart = mayStart;
    try {
      pool.dispatch({ method, path, headers, body: body ?? null }, this);
    } catch (error) {
      this.#giveUp(`could not start: ${codeOf(error)}`, false);
    }
  }

  /** undici calls this right before it writes; aborting here means that nothing is written. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    const again = this.#controller !== null;
    this.#controller = controller;
    if (again) this.#giveUp('the connection was replaced', false);
    else {
      if (!this.#mayStart()) this.#end({ kind: 'not-sent', reason: 'a connection was there too late to begin' });
      if (this.#over) controller.abort(new Error('over'));
    }
  }

  onResponseStart(_: unknown, status: number, headers: AnswerHeaders): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_: unknown, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_BODY_BYTES) this.#giveUp(`the answer is longer than ${MAX_BODY_BYTES} bytes`, false);
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const body = Buffer.concat(this.#chunks);
    this.#end({ kind: 'answer', status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_: unknown, error: Error): void {
    const code = codeOf(error);
    const unwritten = this.#controller === null && this.#failedConnects.has(error) && failedBeforeTheWire(error);
    if (unwritten) this.#end({ kind: 'not-sent', reason: `no connection: ${code}` });
    else
      this.#end({ kind: 'lost', reason: `the connection broke before a whole answer came (${code})`, timedOut: false });
  }

  #giveUp(reason: string, timedOut: boolean): void {
    this.#end({ kind: 'lost', reason, timedOut });
    this.#controller?.abort(new Error(reason));
  }

  #end(exchange: Exchange): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelLimit();
    this.#resolve(exchange);
  }
}

/** Longest answer that is read (protocol §2.5, step 8). */
export const MAX_BODY_BYTES = 1_048_576;
