import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { selfSigned } from '../gateway/self-signed.ts';

type Received = {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** A merchant's server at this machine, answering as the test says. */
export type Receiver = {
  readonly url: string;
  readonly port: number;
  /** The certificate that vouches for it, where it speaks TLS. */
  readonly ca: string | undefined;
  readonly received: readonly Received[];
  /** How it answers from now on; 204 until told otherwise. Whoever does not end the response hangs. */
  on(answer: (request: Received, response: ServerResponse, raw: IncomingMessage) => void): void;
  close(): Promise<void>;
};

export async function startReceiver({ tls = false }: { readonly tls?: boolean } = {}): Promise<Receiver> {
  const received: Received[] = [];
  let answer: Parameters<Receiver['on']>[0] = (_request, response) => response.writeHead(204).end();
  const listener: RequestListener = (raw, response) => {
    const chunks: Buffer[] = [];
    raw.on('data', (chunk: Buffer) => chunks.push(chunk));
    raw.on('end', () => {
      const headers = Object.fromEntries(Object.entries(raw.headers).map(([name, value]) => [name, String(value)]));
      const request = { path: raw.url ?? '', headers, body: Buffer.concat(chunks).toString() };
      received.push(request);
      answer(request, response, raw);
    });
  };
  const certificate = tls ? selfSigned('localhost') : undefined;
  const server = certificate === undefined ? createServer(listener) : createTlsServer(certificate, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://localhost:${port}`,
    port,
    ca: certificate?.cert,
    received,
    on: (next) => {
      answer = next;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
