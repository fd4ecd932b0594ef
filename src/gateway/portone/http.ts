import { buildConnector, type Dispatcher, Pool } from 'undici';
import { InputError } from '../../billing/errors.ts';
import type { Clock } from '../../clock.ts';
import { codeOf, failedBeforeTheWire } from './not-sent.ts';

/** Response headers as read: names in lower case, a repeated one as a list. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

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
};

/** Connections to one origin. `exchange` never throws, never repeats a request and follows no redirect. */
export type Http = {
  exchange(request: HttpRequest): Promise<Exchange>;
  /** Refuses new exchanges, waits for those in flight. Twice is fine. */
  close(): Promise<void>;
};

/** Longest answer that is read (protocol §2.5, step 8). */
export const MAX_BODY_BYTES = 1_048_576;
const CONNECT_TIMEOUT_MS = 5_000;

/** Opens a keep-alive pool; nothing is connected before the first exchange. Throws InputError for a bad base URL. */
export function openHttp(options: { baseUrl: string; connections: number; clock: Clock }): Http {
  const base = parseBaseUrl(options.baseUrl);
  const failedConnects = new WeakSet<Error>();
  const pool = new Pool(base.origin, {
    connections: options.connections,
    connect: rememberingFailures(failedConnects),
    pipelining: 1, // with more, undici would send what was queued behind a dead request a second time
    headersTimeout: 0, // the exchange's own limit rules
    bodyTimeout: 0,
  });
  let closing: Promise<void> | null = null;
  const prefix = base.pathname.replace(/\/+$/, '');
  return {
    exchange: (request) => {
      const running = new RunningExchange(failedConnects);
      running.limit(options.clock, request.timeoutMs);
      running.start(pool, { ...request, path: prefix + request.path });
      return running.outcome;
    },
    close: () => {
      closing ??= pool.close();
      return closing;
    },
  };
}

/** Reads a base URL. Throws InputError unless it is http(s) without credentials, query and fragment. */
export function parseBaseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const plain = url !== null && url.username + url.password + url.search + url.hash === '';
  if (!plain || !/^https?:$/.test(url.protocol)) {
    const shown = text.includes('@') ? 'the base URL' : `'${text}'`; // what stands before an @ is a password
    throw new InputError(`${shown} is not a plain http(s) address`, 'write it like https://api.iamport.kr');
  }
  return url;
}

/** undici's connector; a failure of it is remembered: it came before any request could be written to that socket. */
function rememberingFailures(failures: WeakSet<Error>): buildConnector.connector {
  const connect = buildConnector({
    allowH2: false,
    timeout: CONNECT_TIMEOUT_MS,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true, // said here, NODE_TLS_REJECT_UNAUTHORIZED cannot switch it off
  });
  return (options, callback) =>
    connect(options, (...result) => {
      if (result[0] !== null) failures.add(result[0]);
      callback(...result);
    });
}

/** One request on its way: lives until its answer, its failure or its time limit, whichever is first. */
class RunningExchange implements Dispatcher.DispatchHandler {
  readonly outcome: Promise<Exchange>;
  #resolve: (exchange: Exchange) => void = () => {};
  #cancelLimit: () => void = () => {};
  #controller: Dispatcher.DispatchController | null = null;
  #over = false;
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

  start(pool: Pool, { method, path, headers, body }: HttpRequest): void {
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
    else if (this.#over) controller.abort(new Error('over'));
  }

  onResponseStart(_: unknown, status: number, headers: AnswerHeaders): void {
    if (status < 200) return; // informational; the answer follows
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_: unknown, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_BODY_BYTES) this.#giveUp(`the answer is longer than ${MAX_BODY_BYTES} bytes`, false);
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const { status, headers, body } = {
      status: this.#status,
      headers: this.#headers,
      body: Buffer.concat(this.#chunks),
    };
    this.#end({ kind: 'answer', status, headers, body });
  }

  onResponseError(_: unknown, error: Error): void {
    const unwritten = this.#controller === null && this.#failedConnects.has(error);
    if (unwritten && failedBeforeTheWire(error))
      this.#end({ kind: 'not-sent', reason: `no connection: ${codeOf(error)}` });
    else this.#end({ kind: 'lost', reason: `the connection failed: ${codeOf(error)}`, timedOut: false });
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
