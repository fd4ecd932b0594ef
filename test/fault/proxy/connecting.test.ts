import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { handClock } from '../../gateway/hand-clock.ts';
import type { Firing } from './fault.ts';
import { FaultProxy } from './fault-proxy.ts';

let echo: Server;
let proxy: FaultProxy;
const clock = handClock();
const firings: Firing[] = [];

/** An upstream that answers every word with `+word`, which is one command and one reply to the Redis wire. */
beforeEach(async () => {
  firings.length = 0;
  echo = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (word) => socket.write(`+${word}`));
  });
  await once(echo.listen(0, '127.0.0.1'), 'listening');
  const address = echo.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const upstream = `redis://127.0.0.1:${port}/0`;
  proxy = await FaultProxy.start({ upstream, wire: 'redis', clock, onFiring: (firing) => firings.push(firing) });
});
afterEach(async () => {
  await proxy.close();
  echo.close();
});

test('its URL is the upstream’s with its own address', () => {
  expect(proxy.url).toBe(`redis://127.0.0.1:${proxy.port}/0`);
});

test('accept-then-close: the connection is made and ends without a word, so many times', async () => {
  const armed = proxy.arm({ kind: 'accept-then-close', times: 2 });
  for (let number = 1; number <= 2; number += 1) expect(await answerTo('word')).toBe('closed');
  expect(await answerTo('word')).toBe('+word');
  expect([armed.fired, proxy.counts]).toEqual([2, { 'accept-then-close': 2 }]);
});

test('refuse: nobody listens, old connections go on, and after its time the same port listens again', async () => {
  const old = await connected();
  proxy.arm({ kind: 'refuse', ms: 5_000 });
  expect(await answerTo('word')).toBe('ECONNREFUSED');
  expect(await asked(old, 'still here')).toBe('+still here');
  clock.advance(5_000);
  await proxy.heal(); // resolves once it listens again
  expect(await answerTo('word')).toBe('+word');
  old.destroy();
});

test('refuse without a time lasts until it is disarmed', async () => {
  const armed = proxy.arm({ kind: 'refuse' });
  clock.advance(1e9);
  expect(await answerTo('word')).toBe('ECONNREFUSED');
  await armed.disarm();
  await armed.disarm();
  expect(await answerTo('word')).toBe('+word');
});

test('cutting all resets every connection and leaves the door open', async () => {
  const sockets = [await connected(), await connected()];
  for (const socket of sockets) await asked(socket, 'word');
  const ends = sockets.map((socket) => once(socket, 'error'));
  proxy.cutAll();
  for (const [error] of await Promise.all(ends)) expect(error).toMatchObject({ code: 'ECONNRESET' });
  expect(await answerTo('word')).toBe('+word');
});

test('without its upstream a client is accepted and reset', async () => {
  echo.close();
  await once(echo, 'close');
  expect(await answerTo('word')).toBe('ECONNRESET');
});

test('what is disarmed strikes no more', async () => {
  const armed = proxy.arm({ kind: 'swallow-reply', times: Infinity });
  expect(await answerTo('word')).toBe('ECONNRESET');
  await armed.disarm();
  expect(await answerTo('word')).toBe('+word');
  const [again] = [proxy.arm({ kind: 'swallow-reply', times: Infinity })];
  await proxy.heal();
  expect([await answerTo('word'), again.fired]).toEqual(['+word', 0]);
});

test('of two faults the one armed first strikes; the other keeps its turn', async () => {
  const [first, second] = [proxy.arm({ kind: 'swallow-reply' }), proxy.arm({ kind: 'cut-before-request' })];
  await answerTo('one');
  expect([first.fired, second.fired]).toEqual([1, 0]);
  await answerTo('two');
  expect(firings.map(({ kind, subject }) => [kind, subject])).toEqual([
    ['swallow-reply', 'one'],
    ['cut-before-request', 'two'],
  ]);
});

test('a rate draws from its seed: the same seed strikes the same requests, another seed others', async () => {
  const struck = async (seed: number) => {
    const armed = proxy.arm({ kind: 'slow', rate: 0.3, seed, times: Infinity });
    const socket = await connected();
    const hits: boolean[] = [];
    for (let number = 0; number < 200; number += 1) {
      const before = armed.fired;
      await asked(socket, 'word');
      hits.push(armed.fired > before);
    }
    await armed.disarm();
    socket.destroy();
    return hits;
  };
  const [one, same, other] = [await struck(7), await struck(7), await struck(8)];
  expect(same).toEqual(one);
  expect(other).not.toEqual(one);
  const share = one.filter(Boolean).length / one.length;
  expect(share).toBeGreaterThan(0.2);
  expect(share).toBeLessThan(0.4);
});

test('closing twice is fine, also while refusing', async () => {
  proxy.arm({ kind: 'refuse' });
  await proxy.close();
  await proxy.close();
  expect(await answerTo('word')).toBe('ECONNREFUSED');
});

async function connected(): Promise<Socket> {
  const socket = connect(proxy.port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

async function asked(socket: Socket, word: string): Promise<string> {
  socket.write(`${word}\r\n`);
  const [answer] = await once(socket, 'data');
  return String(answer).trim();
}

/** What one word on a connection of its own comes to: an answer, an error's code, or `closed`. */
function answerTo(word: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(proxy.port, '127.0.0.1', () => socket.write(`${word}\r\n`));
    socket.once('data', (answer) => {
      socket.destroy();
      resolve(String(answer).trim());
    });
    socket.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
    socket.once('close', () => resolve('closed'));
  });
}
