import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type OutgoingRequest, outgoingPost, type Posted } from '../../src/hooks/outgoing.ts';
import { resolveName } from '../../src/hooks/resolve.ts';
import { type HandClock, handClock } from '../gateway/hand-clock.ts';
import { type Receiver, startReceiver } from './receiver.ts';

let receiver: Receiver;
let clock: HandClock;

beforeEach(async () => {
  receiver = await startReceiver();
  clock = handClock();
});
afterEach(() => receiver.close());

const HERE = ['127.0.0.1'];
const post = (over: Partial<OutgoingRequest> = {}, resolve = async () => HERE as readonly string[]): Promise<Posted> =>
  outgoingPost(
    clock,
    resolve,
  )({
    url: `${receiver.url}/hooks?key=1`,
    headers: { 'content-type': 'application/json', 'webhook-id': '1' },
    body: '{"won":"₩"}',
    timeoutMs: 10_000,
    maxBytes: 65_536,
    allow: { addresses: HERE },
    ...over,
  });

test('the bytes arrive as they are, once, on a connection that is not kept, and the answer comes back', async () => {
  receiver.on((_request, response) => response.writeHead(200, { 'Retry-After': '5' }).end('{"kind":"proceed"}'));
  const answer = await post();
  expect(answer).toMatchObject({ kind: 'answered', status: 200, headers: { 'retry-after': '5' } });
  expect(answer.kind === 'answered' ? answer.body.toString() : '').toBe('{"kind":"proceed"}');
  expect(receiver.received).toHaveLength(1);
  expect(receiver.received[0]).toMatchObject({ path: '/hooks?key=1', body: '{"won":"₩"}' });
  expect(receiver.received[0]?.headers).toMatchObject({ 'accept-encoding': 'identity', connection: 'close' });
});

test('a name that means a closed address is not connected to, not even where another of its addresses is open', async () => {
  for (const addresses of [['10.0.0.1'], ['127.0.0.1', '10.0.0.1'], ['169.254.169.254'], ['::ffff:7f00:1']])
    expect(await post({}, async () => addresses)).toMatchObject({ reason: expect.stringContaining('is refused') });
  expect(await post({ url: 'https://shop.example/', allow: {} }, async () => HERE)).toEqual({
    kind: 'failed',
    reason: 'the address is refused: shop.example is 127.0.0.1, which is not open to it',
  });
  expect(await post({ url: 'http://shop.example/' }, async () => ['8.8.8.8'])).toEqual({
    kind: 'failed',
    reason: 'the address is refused: shop.example is 8.8.8.8, which is not open to it', // public, but by plain http
  });
  expect(receiver.received).toEqual([]);
});

test('a name is resolved once, and the address that was checked is the one connected to', async () => {
  // The name means this machine to the first who asks and something else to the next; the system knows no such name.
  const answers = [HERE, ['10.0.0.1'], ['10.0.0.1']];
  const url = `http://rebinding.shop.example:${receiver.port}/`;
  const answer = await post({ url }, async () => answers.shift() ?? []);
  expect(answer).toMatchObject({ kind: 'answered', status: 204 });
  expect(answers).toHaveLength(2);
  expect(receiver.received[0]?.headers.host).toBe(`rebinding.shop.example:${receiver.port}`);
});

test('an address that is written out is asked of nobody', async () => {
  const url = `http://127.0.0.1:${receiver.port}/`;
  const answer = await post({ url }, () => Promise.reject(new Error('asked')));
  expect(answer).toMatchObject({ kind: 'answered' });
});

test("names of the merchant's own network are those of this machine's hosts file too", async () => {
  const own = await resolveName('localhost', true);
  expect(own.length).toBeGreaterThan(0);
  expect(own.filter((address) => address !== '127.0.0.1' && address !== '::1')).toEqual([]);
});

test('a redirect is an answer and leads nowhere', async () => {
  receiver.on((_request, response) => response.writeHead(302, { location: `${receiver.url}/elsewhere` }).end());
  expect(await post()).toMatchObject({ kind: 'answered', status: 302 });
  expect(receiver.received).toHaveLength(1);
});

test.each([
  ['never answers', () => undefined],
  ['answers with headers and then nothing', (response: { flushHeaders(): void }) => response.flushHeaders()],
])('a receiver that %s costs the time limit', async (_, hang) => {
  const seen = new Promise<void>((resolve) => {
    receiver.on((_request, response) => {
      hang(response);
      resolve();
    });
  });
  const answer = post();
  await seen;
  clock.advance(10_000);
  expect(await answer).toEqual({ kind: 'failed', reason: 'no whole answer within 10000 ms' });
});

test('a receiver that sends a byte now and then costs the time limit all the same', async () => {
  let sent: () => void = () => {};
  const next = () =>
    new Promise<void>((resolve) => {
      sent = resolve;
    });
  let drip: () => void = () => {};
  const started = next();
  receiver.on((_request, response) => {
    response.flushHeaders();
    drip = () => response.write('x', () => sent());
    sent();
  });
  const answer = post();
  await started;
  for (let second = 1; second <= 9; second += 1) {
    clock.advance(1_000);
    const written = next();
    drip();
    await written;
  }
  clock.advance(1_000);
  expect(await answer).toEqual({ kind: 'failed', reason: 'no whole answer within 10000 ms' });
});

test('a name server that never answers costs the time limit', async () => {
  const answer = post({}, () => new Promise(() => undefined));
  clock.advance(10_000);
  expect(await answer).toEqual({ kind: 'failed', reason: 'no whole answer within 10000 ms' });
});

test.each([
  ['longer than is read', 'the answer is longer than 65536 bytes', (end: End) => end({}, 'x'.repeat(65_537))],
  ['endless', 'the answer is longer than 65536 bytes', (end: End) => end({}, 'x'.repeat(10_000_000))],
  ['compressed', 'the answer is encoded (gzip)', (end: End) => end({ 'content-encoding': 'gzip' }, gzipSync('{}'))],
  [
    'in a thousand headers',
    'no answer: UND_ERR_HEADERS_OVERFLOW',
    (end: End) => end(Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`x-${n}`, 'x'.repeat(100)])), ''),
  ],
])('an answer that is %s is none', async (_, reason, give) => {
  receiver.on((_request, response) => give((headers, body) => response.writeHead(200, headers).end(body)));
  expect(await post()).toEqual({ kind: 'failed', reason });
});

test('who reads no body has the answer with its headers, however long the body is', async () => {
  receiver.on((_request, response) => {
    response.flushHeaders();
    response.write('x'.repeat(1_000_000));
  });
  expect(await post({ maxBytes: 0 })).toMatchObject({ kind: 'answered', status: 200, body: Buffer.alloc(0) });
});

test('a connection that is refused, or breaks, is told by its code', async () => {
  receiver.on((_request, response) => response.socket?.resetAndDestroy());
  expect(await post()).toMatchObject({ kind: 'failed', reason: expect.stringMatching(/^no answer: \w+$/) });
  await receiver.close();
  expect(await post()).toEqual({ kind: 'failed', reason: 'no answer: ECONNREFUSED' });
  receiver = await startReceiver();
});

test('a request can be stopped', async () => {
  const stop = new AbortController();
  receiver.on(() => stop.abort());
  expect(await post({ signal: stop.signal })).toEqual({ kind: 'failed', reason: 'no answer: it was stopped' });
  expect(await post({ signal: stop.signal })).toEqual({ kind: 'failed', reason: 'no answer: it was stopped' });
});

test('no reason holds what follows the host', async () => {
  const url = 'https://shop.example/s3cret?token=s3cret';
  for (const resolve of [async () => HERE, () => Promise.reject(new Error('ENOTFOUND')), async () => []])
    expect(JSON.stringify(await post({ url, allow: {} }, resolve))).not.toContain('s3cret');
});

test('a certificate that nobody vouches for ends the connection; one that config vouches for does not', async () => {
  const secure = await startReceiver({ tls: true });
  const allow = { addresses: HERE };
  expect(await post({ url: secure.url, allow })).toMatchObject({
    kind: 'failed',
    reason: 'no answer: DEPTH_ZERO_SELF_SIGNED_CERT',
  });
  expect(await post({ url: secure.url, allow: { ...allow, ca: secure.ca } })).toMatchObject({ kind: 'answered' });
  const other = secure.url.replace('localhost', 'other.example');
  expect(await post({ url: other, allow: { ...allow, ca: secure.ca } })).toMatchObject({
    kind: 'failed',
    reason: 'no answer: ERR_TLS_CERT_ALTNAME_INVALID',
  });
  expect(secure.received).toHaveLength(1);
  await secure.close();
});

type End = (headers: Record<string, string>, body: string | Buffer) => void;
