import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** One request as it arrived, whole. */
type Seen = {
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
  readonly userAgent: string;
  readonly body: string;
  /** Tells connections apart: how many were opened before this one. */
  readonly connection: number;
};

/** What the server does with a request; `response` and `socket` are bare, so that it can break every rule. */
export type Behaviour = (seen: Seen, response: ServerResponse, socket: Socket) => void;

/** A PortOne of a test's own: says what its script says, and counts. */
export type FakePortOne = {
  readonly url: string;
  /** Requests in order of arrival. */
  readonly seen: readonly Seen[];
  /** Those to this path, the query aside. */
  to(path: string): readonly Seen[];
  /** From now on requests whose path starts so are met this way; the newest rule that fits wins. */
  on(path: string, behaviour: Behaviour): void;
  /** The next request to this path resolves it, once its behaviour has run. */
  next(path: string): Promise<Seen>;
  close(): Promise<void>;
};

export const AGAIN = '/subscribe/payments/again';
export const CANCEL = '/payments/cancel';
export const GET_TOKEN = '/users/getToken';
export const TOKEN = '0123456789abcdef0123456789abcdef01234567';

/** Starts one on 127.0.0.1. It knows `getToken`; every other path is answered 500 until a rule is set. */
export async function startFakePortOne(): Promise<FakePortOne> {
  const seen: Seen[] = [];
  const rules: { path: string; behaviour: Behaviour }[] = [];
  const waiting: { path: string; resolve: (seen: Seen) => void }[] = [];
  const connections = new Map<Socket, number>();
  const server = createServer((request, response) => {
    void whole(request, connections.get(request.socket) ?? 0).then((arrived) => {
      seen.push(arrived);
      const rule = rules.findLast(({ path }) => arrived.path.startsWith(path));
      (rule?.behaviour ?? refuse(500, 'no rule'))(arrived, response, request.socket);
      const index = waiting.findIndex(({ path }) => arrived.path.startsWith(path));
      for (const { resolve } of index < 0 ? [] : waiting.splice(index, 1)) resolve(arrived);
    }, ignore); // a request that breaks off is none
  });
  server.on('connection', (socket) => {
    connections.set(socket, connections.size);
    socket.on('error', ignore);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  rules.push({ path: GET_TOKEN, behaviour: answer(tokenBody(1_800)) });
  return {
    url: `http://127.0.0.1:${portOf(server.address())}`,
    seen,
    to: (path) => seen.filter((request) => request.path.split('?')[0] === path),
    on: (path, behaviour) => {
      rules.push({ path, behaviour });
    },
    next: (path) => new Promise((resolve) => waiting.push({ path, resolve })),
    close: async () => {
      server.close();
      for (const socket of connections.keys()) socket.destroy();
      await once(server, 'close');
    },
  };
}

/** Answers this JSON, complete and well. */
export function answer(body: unknown, status = 200): Behaviour {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json;charset=UTF-8' }).end(JSON.stringify(body));
  };
}

/** Refuses in PortOne's own shape. */
export function refuse(status: number, message: string): Behaviour {
  return answer({ code: -1, message, response: null }, status);
}

/** A token that lives so long. */
export function tokenBody(seconds: number, token = TOKEN): unknown {
  const now = 1_800_000_000;
  return { code: 0, message: null, response: { access_token: token, now, expired_at: now + seconds } };
}

/** A payment as `/again` answers it. */
export function payment(merchantUid: string, fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    imp_uid: 'imps_123456789012',
    merchant_uid: merchantUid,
    customer_uid: 'card-1',
    status: 'paid',
    amount: 9_900,
    cancel_amount: 0,
    currency: 'KRW',
    pg_provider: 'nice',
    sandbox: true,
    started_at: 1_800_000_000,
    paid_at: 1_800_000_001,
    failed_at: 0,
    fail_reason: null,
    ...fields,
  };
}

/** A whole answer around a payment. */
export function paymentBody(merchantUid: string, fields: Record<string, unknown> = {}): unknown {
  return { code: 0, message: null, response: payment(merchantUid, fields) };
}

/** A page of `findAll`. */
export function pageBody(list: readonly unknown[], total: number, next = 0): unknown {
  return { code: 0, message: null, response: { total, previous: 0, next, list } };
}

async function whole(request: IncomingMessage, connection: number): Promise<Seen> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const { method = '', url: path = '', headers } = request;
  const { authorization = '', 'user-agent': userAgent = '' } = headers;
  return { method, path, authorization, userAgent, body: Buffer.concat(chunks).toString(), connection };
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function ignore(): void {}
