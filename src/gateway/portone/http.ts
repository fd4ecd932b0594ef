import { buildConnector, Pool } from 'undici';
import { InputError } from '../../billing/errors.ts';
import type { Clock } from '../../clock.ts';
import { type Exchange, type HttpRequest, RunningExchange } from './exchange.ts';

/** Connections to one origin. `exchange` never throws, never repeats a request and follows no redirect. */
export type Http = {
  exchange(request: HttpRequest): Promise<Exchange>;
  /** Refuses new exchanges, waits for those in flight. Twice is fine. */
  close(): Promise<void>;
};

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
