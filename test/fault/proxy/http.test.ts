import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Pool } from 'undici';
import { handClock } from '../../gateway/hand-clock.ts';
import { Inbox } from '../../queue/inbox.ts';
import type { RequestFault } from './fault.ts';
import { FaultProxy } from './fault-proxy.ts';

let server: Server;
let proxy: FaultProxy;
let pool: Pool;
let arrived: Inbox<string>;
const clock = handClock();

beforeEach(async () => {
  arrived = new Inbox();
  server = await listening((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      arrived.put(`${request.method} ${request.url} ${Buffer.concat(chunks)}`);
      response.end(request.url === '/long' ? Buffer.alloc(1_000_000, 'x') : 'done');
    });
  });
  proxy = await FaultProxy.start({ upstream: urlOf(server), wire: 'http', clock });
  pool = new Pool(proxy.url, { connections: 1, pipelining: 1 });
});
afterEach(async () => {
  await pool.destroy();
  await proxy.close();
  server.close();
});

const post = async (path: string, body = 'charge') => {
  const response = await pool.request({ method: 'POST', path, body });
  return response.body.text();
};

test('without a fault everything passes as it is, many requests on one connection', async () => {
  expect(await post('/first')).toBe('done');
  expect(await post('/long', 'y'.repeat(300_000))).toHaveLength(1_000_000);
  expect((await pool.request({ method: 'HEAD', path: '/first' })).statusCode).toBe(200);
  const streamed = await pool.request({ method: 'POST', path: '/chunked', body: Readable.from(['in', 'chunks']) });
  expect(await streamed.body.text()).toBe('done');
  expect(arrived.all.map((line) => line.slice(0, 24))).toEqual([
    'POST /first charge',
    'POST /long yyyyyyyyyyyyy',
    'HEAD /first ',
    'POST /chunked inchunks',
  ]);
  expect(proxy.connections).toBe(1);
});

test.each([
  ['cut-before-request', 0],
  ['cut-in-request', 0],
  ['cut-after-request', 1],
  ['swallow-reply', 1],
  ['cut-in-reply', 1],
] as const)('%s: the client sees an error, and the server got %i whole request', async (kind, got) => {
  await post('/warm'); // a kept connection, as in life
  const fault: RequestFault = { kind };
  const struck = proxy.arm({ ...fault, match: /^POST \/again$/ }).next();
  await expect(post('/again')).rejects.toThrow();
  expect(await struck).toMatchObject({ kind, subject: 'POST /again', connection: 1 });
  if (got === 1) expect(await arrived.take(2)).toContain('POST /again charge');
  expect(await post('/after')).toBe('done'); // on a new connection
  expect(arrived.all).toEqual(['POST /warm charge', ...(got ? ['POST /again charge'] : []), 'POST /after charge']);
});

test('half of a long reply comes as half, and the client notices', async () => {
  proxy.arm({ kind: 'cut-in-reply', match: /\/long$/ });
  const response = await pool.request({ method: 'POST', path: '/long', body: '' });
  let bytes = 0;
  const read = async () => {
    for await (const chunk of response.body) bytes += Buffer.from(chunk).length;
  };
  await expect(read()).rejects.toThrow();
  expect(bytes).toBeGreaterThan(400_000);
  expect(bytes).toBeLessThan(600_000);
});

test('method and path choose what is struck', async () => {
  const armed = proxy.arm({ kind: 'swallow-reply', match: /^POST \/subscribe\/payments\/again/, times: Infinity });
  expect(await post('/users/getToken')).toBe('done');
  const asked = await pool.request({ method: 'GET', path: '/subscribe/payments/again' });
  expect(await asked.body.text()).toBe('done');
  await expect(post('/subscribe/payments/again?x=1')).rejects.toThrow();
  expect(armed.fired).toBe(1);
});

test('a request in a black hole arrives when the hole closes, long after its client gave up', async () => {
  const falls = proxy.arm({ kind: 'black-hole', direction: 'to-server', ms: 20_000 }).next();
  const call = post('/again').catch(() => 'gave up');
  await falls;
  await pool.destroy();
  expect(await call).toBe('gave up');
  expect(arrived.all).toEqual([]);
  clock.advance(20_000);
  expect(await arrived.take(1)).toEqual(['POST /again charge']);
});

test('sliced to single bytes it is the same request and the same reply', async () => {
  proxy.arm({ kind: 'slow', sliceBytes: 1 });
  expect(await post('/again', '{"결제":9900}')).toBe('done');
  expect(arrived.all).toEqual(['POST /again {"결제":9900}']);
});

test('a reply that ends with its connection can be swallowed', async () => {
  const plain = await listening((_, response) => {
    response.sendDate = false;
    response.socket?.end('HTTP/1.0 200 OK\r\n\r\nuntil the end');
  });
  const before = await FaultProxy.start({ upstream: urlOf(plain), wire: 'http' });
  const direct = new Pool(before.url);
  const whole = await direct.request({ method: 'GET', path: '/' });
  expect(await whole.body.text()).toBe('until the end');
  before.arm({ kind: 'swallow-reply' });
  await expect(direct.request({ method: 'GET', path: '/' })).rejects.toThrow();
  expect(before.counts).toEqual({ 'swallow-reply': 1 });
  await direct.destroy();
  await before.close();
  plain.close();
});

async function listening(listener: RequestListener): Promise<Server> {
  const made = createServer(listener);
  await once(made.listen(0, '127.0.0.1'), 'listening');
  return made;
}

function urlOf(listener: Server): string {
  const address = listener.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}
