import { once } from 'node:events';
import { createServer as createPlain, type Server } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { InputError } from '../../../src/billing/errors.ts';
import { MAX_BODY_BYTES } from '../../../src/gateway/portone/exchange.ts';
import { type Http, openHttp, parseBaseUrl } from '../../../src/gateway/portone/http.ts';
import { answer, type FakePortOne, startFakePortOne } from '../fake-portone.ts';
import { type HandClock, handClock } from '../hand-clock.ts';
import { selfSigned } from '../self-signed.ts';

let server: FakePortOne;
let clock: HandClock;
let http: Http;

beforeEach(async () => {
  server = await startFakePortOne();
  clock = handClock();
  http = openHttp({ baseUrl: server.url, connections: 1, clock });
});
afterEach(async () => {
  await server.close();
  await http.close();
});

const post = (path: string, over = http, mayStart = () => true) =>
  over.exchange({ method: 'POST', path, headers: { 'x-test': '1' }, body: '{}', timeoutMs: 60_000, mayStart });

test('a POST on a kept connection that dies is sent once, twenty times over', async () => {
  server.on('/warm', answer({}));
  server.on('/dies', (_seen, _response, socket) => socket.destroy());
  for (let number = 0; number < 20; number += 1) {
    await post('/warm');
    expect(await post('/dies')).toMatchObject({ kind: 'lost', timedOut: false });
    const [warm, dies] = server.seen.slice(-2);
    expect(dies?.connection).toBe(warm?.connection); // it was the kept one
  }
  expect(server.to('/dies')).toHaveLength(20);
});

test('requests queued behind one that dies go out once each, on a new connection', async () => {
  server.on('/', answer({}));
  server.on('/dies', (_seen, _response, socket) => socket.resetAndDestroy());
  const all = await Promise.all([post('/1'), post('/dies'), post('/2'), post('/3')]);
  expect(all.map(({ kind }) => kind)).toEqual(['answer', 'lost', 'answer', 'answer']);
  expect(server.seen.map(({ path }) => path)).toEqual(['/1', '/dies', '/2', '/3']);
});

test('two answers to one request never become the answer to the next', async () => {
  server.on('/twice', (_seen, _response, socket) => {
    const one = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';
    socket.write(one + one.replace('200 OK', '403 No'));
  });
  server.on('/next', answer({ own: true }));
  expect(await post('/twice')).toMatchObject({ kind: 'answer', status: 200 });
  const next = await post('/next');
  expect(next.kind === 'answer' ? Buffer.from(next.body).toString() : next).toBe('{"own":true}');
});

test('a request whose time ends while it waits for a connection is never sent', async () => {
  server.on('/', answer({}));
  server.on('/hangs', () => {});
  const arrived = server.next('/hangs');
  const hanging = post('/hangs');
  await arrived;
  const waiting = post('/waits');
  clock.advance(60_000);
  expect(await hanging).toMatchObject({ kind: 'lost', timedOut: true });
  expect(await waiting).toMatchObject({ kind: 'lost', timedOut: true });
  expect((await post('/after')).kind).toBe('answer'); // the queue has moved past it
  expect(server.seen.map(({ path }) => path)).toEqual(['/hangs', '/after']);
});

test('a request for which a connection is there too late to begin is not sent, and nothing of it is written', async () => {
  server.on('/', answer({}));
  server.on('/slow', (_, response) => {
    clock.advance(5_001);
    response.end('{}');
  });
  const mayStart = () => clock.monotonicMs() <= 5_000;
  const [slow, late, next] = await Promise.all([post('/slow'), post('/late', http, mayStart), post('/next')]);
  expect([slow.kind, late.kind, next.kind]).toEqual(['answer', 'not-sent', 'answer']);
  expect(server.seen.map(({ path }) => path)).toEqual(['/slow', '/next']);
});

test('a megabyte is read, a byte more is lost', async () => {
  server.on('/fits', (_, response) => response.end(Buffer.alloc(MAX_BODY_BYTES)));
  server.on('/too-long', (_, response) => response.end(Buffer.alloc(MAX_BODY_BYTES + 1)));
  const fits = await post('/fits');
  expect(fits.kind === 'answer' ? fits.body.length : fits).toBe(MAX_BODY_BYTES);
  expect(await post('/too-long')).toMatchObject({ kind: 'lost', timedOut: false });
});

test('an informational answer is passed over', async () => {
  server.on('/', (seen, response, socket) => {
    response.writeEarlyHints({ link: '</x>; rel=preload' });
    answer({ final: true })(seen, response, socket);
  });
  const got = await post('/early');
  expect(got.kind === 'answer' ? [got.status, Buffer.from(got.body).toString()] : got).toEqual([200, '{"final":true}']);
});

test('kept connections are used again', async () => {
  server.on('/', answer({}));
  for (let number = 0; number < 5; number += 1) await post('/');
  expect(new Set(server.seen.map(({ connection }) => connection)).size).toBe(1);
});

test('closing waits for what is under way', async () => {
  server.on('/', answer({}));
  const running = post('/last');
  await http.close();
  expect((await running).kind).toBe('answer');
  expect((await post('/too-late')).kind).toBe('lost');
});

test('nobody listening is not sent', async () => {
  const gone = await listening(createPlain());
  gone.close();
  await once(gone, 'close');
  expect(await tryAt('http', gone.port)).toMatchObject({ kind: 'not-sent', reason: 'no connection: ECONNREFUSED' });
});

test('a server that speaks no TLS, or that nobody vouches for, is sent nothing', async () => {
  const received: string[] = [];
  const plain = await listening(createPlain((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')));
  const impostor = createTls(selfSigned('localhost'), (socket) => {
    socket.on('data', (data) => received.push(data.toString()));
    socket.on('error', () => {});
  });
  const { port } = await listening(impostor);
  expect(await tryAt('https', plain.port)).toMatchObject({ kind: 'not-sent' });
  expect(await tryAt('https', port)).toMatchObject({
    kind: 'not-sent',
    reason: 'no connection: DEPTH_ZERO_SELF_SIGNED_CERT',
  });
  expect(received).toEqual([]);
  plain.close();
  impostor.close();
});

test('a path below the base URL is kept', async () => {
  server.on('/', answer({}));
  const below = openHttp({ baseUrl: `${server.url}/portone/`, connections: 1, clock });
  await post('/users/getToken', below);
  expect(server.seen.map(({ path }) => path)).toEqual(['/portone/users/getToken']);
  await below.close();
});

test.each([
  'api.iamport.kr',
  '/relative',
  'ftp://api.iamport.kr',
  'https://user:pass@api.iamport.kr',
  'https://api.iamport.kr/?a=1',
  'https://api.iamport.kr/#x',
])('%s is no base URL', (text) => {
  expect(() => parseBaseUrl(text)).toThrow(InputError);
});

test('a refused base URL is repeated without its password', () => {
  expect(() => parseBaseUrl('ftp://api.iamport.kr')).toThrow("'ftp://api.iamport.kr' is not a plain http(s) address");
  expect(() => parseBaseUrl('https://user:pass@api.iamport.kr')).not.toThrow('pass');
});

async function tryAt(scheme: string, port: number) {
  const other = openHttp({ baseUrl: `${scheme}://127.0.0.1:${port}`, connections: 1, clock });
  const exchange = await post('/', other);
  await other.close();
  return exchange;
}

async function listening<S extends Server>(made: S): Promise<S & { port: number }> {
  made.listen(0, '127.0.0.1');
  await once(made, 'listening');
  const address = made.address();
  return Object.assign(made, { port: typeof address === 'object' && address !== null ? address.port : 0 });
}
