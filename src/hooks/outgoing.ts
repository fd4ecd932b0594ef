import { isIP, type LookupFunction } from 'node:net';
import { buildConnector, Client } from 'undici';
import type { Clock } from '../clock.ts';
import { isOpenTo } from './address.ts';
import { readAnswer } from './answer.ts';
import { type Resolve, resolveName } from './resolve.ts';
import { type Exceptions, parseTarget, type Target } from './target.ts';

export type OutgoingRequest = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Bounds everything: resolving, connecting, sending, and the last byte of the answer. */
  readonly timeoutMs: number;
  /** Longest answer that is read; with 0 the answer is over with its headers, and its body is not read. */
  readonly maxBytes: number;
  readonly allow: Exceptions;
  /** Ends the request early. */
  readonly signal?: AbortSignal;
};

/** Headers by their names in lower case; of a repeated one all values, with commas between. */
export type Posted =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Buffer;
    }
  /** No whole answer: it may have arrived all the same. The reason holds no secret and fits in a row. */
  | { readonly kind: 'failed'; readonly reason: string };

/** Sends one POST to an address of the merchant's. Never rejects, never repeats it, follows no redirect. */
export type Post = (request: OutgoingRequest) => Promise<Posted>;

const CONNECT_TIMEOUT_MS = 5_000;
const MAX_HEADER_BYTES = 65_536;

/**
 * The only way out to addresses that the merchant names (protocol §4, rows 11 and 12). A name is resolved once, every
 * address it has is checked, and only those checked are connected to; each request has a connection of its own, so that
 * none outlives its check. No proxy, no compression, and no certificate that nobody vouches for.
 */
export function outgoingPost(clock: Clock, resolve: Resolve = resolveName): Post {
  return async (request) => {
    const target = parseTarget(request.url, request.allow);
    if (target.kind === 'refused') return failed(`the address is refused: ${target.reason}`);
    const limit = limited(clock, request);
    try {
      const addresses = await Promise.race([addressesOf(target, request.allow, resolve), limit.ended]);
      return await Promise.race([exchange(target, addresses, request, limit), limit.ended]);
    } catch (error) {
      return failed(error instanceof Refusal ? error.message : `no answer: ${wordOf(error)}`);
    } finally {
      limit.over();
    }
  };
}

/** Rejects unless every address of the host is open. */
async function addressesOf(target: Reachable, allow: Exceptions, resolve: Resolve): Promise<readonly string[]> {
  if (target.isAddress) return [target.host];
  const excepted = allow.addresses ?? [];
  const addresses = await resolve(target.host, excepted.length > 0);
  const closed = addresses.find((address) => !isOpenTo(address, excepted, target.isOwn));
  if (closed !== undefined)
    throw new Refusal(`the address is refused: ${target.host} is ${closed}, which is not open to it`);
  if (addresses.length === 0) throw new Refusal(`no answer: ${target.host} has no address`);
  return addresses;
}

async function exchange(
  { url }: Reachable,
  addresses: readonly string[],
  { headers, body, maxBytes, allow }: OutgoingRequest,
  limit: Limit,
): Promise<Posted> {
  const client = new Client(url.origin, {
    connect: connectorTo(addresses, allow),
    headersTimeout: 0, // the request's own limit rules
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
    pipelining: 1,
  });
  limit.atEnd(() => void client.destroy().catch(() => undefined));
  const response = await client.request({
    method: 'POST',
    path: url.pathname + url.search,
    headers: { ...headers, 'accept-encoding': 'identity' },
    body,
    reset: true, // no connection is kept
  });
  return readAnswer(response, maxBytes);
}

/** Connects to the addresses given, whatever the name means by now; a connection to any other is never used. */
function connectorTo(addresses: readonly string[], { ca }: Exceptions): buildConnector.connector {
  const lookup: LookupFunction = (_name, { all, family }, callback) => {
    const known = addresses.map((address) => ({ address, family: isIP(address) }));
    const fit = known.filter((one) => family === undefined || family === 0 || one.family === Number(family));
    const [first] = fit;
    if (first === undefined) callback(new Error('no address of that family'), '');
    else if (all === true) callback(null, fit);
    else callback(null, first.address, first.family);
  };
  return buildConnector({
    lookup,
    allowH2: false,
    timeout: CONNECT_TIMEOUT_MS,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true, // said here, NODE_TLS_REJECT_UNAUTHORIZED cannot switch it off
    maxCachedSessions: 0,
    ...(ca === undefined ? {} : { ca }),
  });
}

/** Ends a request by its time limit or its signal; what was registered last is called once, at the end of any kind. */
function limited(clock: Clock, { timeoutMs, signal }: OutgoingRequest): Limit {
  let atEnd = () => {};
  let reject: (reason: Refusal) => void = () => {};
  const ended = new Promise<never>((_, no) => {
    reject = no;
  });
  ended.catch(() => undefined); // nobody waits any more once an answer is there
  const stop = () => reject(new Refusal('no answer: it was stopped'));
  const cancel = clock.after(timeoutMs, () => reject(new Refusal(`no whole answer within ${timeoutMs} ms`)));
  if (signal?.aborted === true) stop();
  signal?.addEventListener('abort', stop, { once: true });
  return {
    ended,
    atEnd: (callback) => {
      atEnd = callback;
    },
    over: () => {
      cancel();
      signal?.removeEventListener('abort', stop);
      atEnd();
    },
  };
}

function failed(reason: string): Posted {
  return { kind: 'failed', reason: reason.slice(0, 300) };
}

/** An error's code, or its message where it has none; neither undici's nor Node's hold a path or a header. */
function wordOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'message' in error ? String(error.message) : 'it failed without a word';
}

class Refusal extends Error {}

type Reachable = Extract<Target, { kind: 'target' }>;
type Limit = {
  readonly ended: Promise<never>;
  readonly atEnd: (callback: () => void) => void;
  readonly over: () => void;
};
