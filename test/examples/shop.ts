import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll } from '@jest/globals';

/** A request as the shop got it. */
type Asked = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
};

/** The servers of a merchant that a hook asks: one that answers as the test says. */
export type Shop = {
  readonly url: string;
  readonly asked: Asked[];
  /** `null` never answers. */
  answer: { readonly status: number; readonly body: unknown } | null;
};

/** Serves while the tests of the file run. */
export function openShop(): () => Shop {
  let shop: Shop | null = null;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      shop?.asked.push({ method, path, headers, body });
      const answer = shop?.answer ?? null;
      if (answer === null) return;
      // A connection that is kept would be closed after the test, maybe just as the next one asks.
      response
        .writeHead(answer.status, { 'content-type': 'application/json', connection: 'close' })
        .end(JSON.stringify(answer.body));
    });
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : null;
    shop = { url: `http://127.0.0.1:${port}`, asked: [], answer: null };
  });
  afterEach(() => {
    server.closeAllConnections();
    if (shop !== null) Object.assign(shop, { asked: [], answer: null });
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
  });
  return () => {
    if (shop === null) throw new Error('the shop opens with the first test');
    return shop;
  };
}
