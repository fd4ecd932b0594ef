import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Clock } from '../../../src/clock.ts';
import { handClock } from '../../gateway/hand-clock.ts';
import { Inbox } from '../../queue/inbox.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { FaultProxy } from './fault-proxy.ts';

let server: RedisServer;
let direct: Redis;
let proxy: FaultProxy;
let client: Redis;
const hand = handClock();
/** Every timer that is set, as soon as it is. */
let timers: Inbox<number>;
const clock: Clock = {
  ...hand,
  after: (ms, callback) => {
    timers.put(ms);
    return hand.after(ms, callback);
  },
};

beforeAll(async () => {
  server = await startRedis();
  direct = new Redis(server.url);
});
beforeEach(async () => {
  await direct.flushall();
  timers = new Inbox();
  proxy = await FaultProxy.start({ upstream: server.url, wire: 'redis', clock });
  client = new Redis(proxy.url, {
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    lazyConnect: true,
    disconnectTimeout: 10,
  });
  client.on('error', () => undefined);
  await client.connect();
});
afterEach(async () => {
  client.disconnect();
  await proxy.close();
});
afterAll(async () => {
  direct.disconnect();
  await server.stop();
});

const script = `redis.call('RPUSH', KEYS[1], ARGV[1]); return {1, {'nested', false}}`;

test('without a fault everything passes as it is: pipelines, nested answers, long values, errors', async () => {
  const long = 'a\r\nb'.repeat(200_000);
  expect(await client.eval(script, 1, 'list', long)).toEqual([1, ['nested', null]]);
  expect(await client.lindex('list', 0)).toBe(long);
  const many = client.multi().set('a', 1).get('a').lrange('none', 0, -1);
  expect(await many.exec()).toEqual([
    [null, 'OK'],
    [null, '1'],
    [null, []],
  ]);
  await expect(client.incr('list')).rejects.toThrow('WRONGTYPE');
  expect(await Promise.all(Array.from({ length: 100 }, () => client.incr('n')))).toHaveLength(100);
  expect(proxy.counts).toEqual({});
});

test.each([
  ['evalsha', async () => client.evalsha(String(await direct.script('LOAD', script)), 1, 'list', 'x')],
  ['eval', () => client.eval(script, 1, 'list', 'x')],
  ['rpush', () => client.rpush('list', 'x')],
  ['exec', () => client.multi().rpush('list', 'x').exec()],
])('swallowing the reply to %s: the client sees an error, and it is done', async (name, call) => {
  const struck = proxy.arm({ kind: 'swallow-reply', match: new RegExp(`^${name}$`) }).next();
  await expect(call()).rejects.toThrow();
  expect(await struck).toMatchObject({ subject: name });
  expect(await direct.lrange('list', 0, -1)).toEqual(['x']);
});

test('swallowing the reply to XADD: an error, and the entry is there', async () => {
  proxy.arm({ kind: 'swallow-reply', match: /^xadd$/ });
  await expect(client.xadd('stream', '*', 'field', 'value')).rejects.toThrow();
  expect(await direct.xlen('stream')).toBe(1);
});

test.each(['cut-before-request', 'cut-in-request'] as const)('%s: an error, and nothing is done', async (kind) => {
  proxy.arm({ kind, match: /^rpush$/ });
  await expect(client.rpush('list', 'x')).rejects.toThrow();
  expect(await direct.llen('list')).toBe(0);
});

test('half of a reply: an error, and it is done', async () => {
  proxy.arm({ kind: 'cut-in-reply', match: /^eval$/ });
  await expect(client.eval(script, 1, 'list', 'x')).rejects.toThrow();
  expect(await direct.llen('list')).toBe(1);
});

test('what came before the struck command in one pipeline was done, what came after it never arrived', async () => {
  proxy.arm({ kind: 'cut-before-request', match: /^lpush$/ });
  await client.pipeline().rpush('list', 'before').lpush('list', 'struck').rpush('list', 'after').exec();
  expect(await direct.lrange('list', 0, -1)).not.toContain('struck');
  expect(await direct.lrange('list', 0, -1)).not.toContain('after');
});

test('a black hole on the way there: the command is done when the hole closes, though its sender has gone', async () => {
  const falls = proxy.arm({ kind: 'black-hole', direction: 'to-server', ms: 60_000, match: /^rpush$/ }).next();
  const call = client.rpush('list', 'late').catch(() => 'gave up');
  await falls;
  client.disconnect();
  expect(await call).toBe('gave up');
  expect(await direct.llen('list')).toBe(0);
  const arrived = direct.blpop('list', 0);
  hand.advance(60_000);
  expect(await arrived).toEqual(['list', 'late']);
});

test('a black hole on the way back: the command is done at once, its reply comes when the hole closes', async () => {
  const falls = proxy.arm({ kind: 'black-hole', direction: 'to-client', ms: 60_000, match: /^rpush$/ }).next();
  const call = client.rpush('list', 'x');
  await falls;
  expect(await direct.blpop('list', 0)).toEqual(['list', 'x']);
  expect(await Promise.race([call, Promise.resolve('no answer yet')])).toBe('no answer yet');
  hand.advance(60_000);
  expect(await call).toBe(1);
});

test('a black hole on every connection holds new ones too, until it is healed', async () => {
  const falls = proxy.arm({ kind: 'black-hole', direction: 'to-server', ms: 60_000, scope: 'every' }).next();
  const call = client.rpush('list', 'old connection');
  await falls;
  const another = new Redis(proxy.url);
  const second = another.rpush('list', 'new connection');
  expect(await direct.llen('list')).toBe(0);
  await proxy.heal();
  await Promise.all([call, second]);
  expect((await direct.lrange('list', 0, -1)).sort()).toEqual(['new connection', 'old connection']);
  another.disconnect();
});

test('latency is added once there and once back, by the clock', async () => {
  proxy.arm({ kind: 'slow', delayMs: 1_000, match: /^rpush$/ });
  const call = client.rpush('list', 'x');
  expect(await timers.take(1)).toEqual([1_000]);
  hand.advance(999);
  expect(await direct.llen('list')).toBe(0);
  hand.advance(1);
  expect(await timers.take(1)).toEqual([1_000]); // the reply is there and waits
  expect(await direct.llen('list')).toBe(1);
  expect(await Promise.race([call, Promise.resolve('no answer yet')])).toBe('no answer yet');
  hand.advance(1_000);
  expect(await call).toBe(1);
});
