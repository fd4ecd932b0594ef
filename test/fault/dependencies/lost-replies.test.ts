import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { FaultProxy } from '../proxy/fault-proxy.ts';

/** What `add` says when its job is in Redis and the reply was lost: nothing certain, in either direction. */
let server: RedisServer;
let proxy: FaultProxy;
let looking: Redis;
let client: Redis;
let queue: Queue;

beforeEach(async () => {
  server = await startRedis();
  looking = new Redis(server.url);
  proxy = await FaultProxy.start({ upstream: server.url, wire: 'redis' });
});
afterEach(async () => {
  client.disconnect();
  await queue.close();
  looking.disconnect();
  await proxy.close();
  await server.stop();
});

test('with ioredis’s defaults one add without an id makes two jobs, and says nothing of it', async () => {
  await openQueue({});
  await add();
  expect(await waiting()).toBe(2);
});

test('with ioredis’s defaults one add with an id makes one job', async () => {
  await openQueue({});
  await add('charge-1');
  expect(await waiting()).toBe(1);
});

test('with no request retried the add is an error, though the job is there', async () => {
  await openQueue({ maxRetriesPerRequest: 0 });
  await expect(add('charge-1')).rejects.toThrow('max retries per request limit');
  expect(await waiting()).toBe(1);
});

test('with resending off the add never comes to an end, though the connection has long recovered', async () => {
  await openQueue({ autoResendUnfulfilledCommands: false });
  const ready = new Promise<void>((resolve) => client.once('ready', () => resolve()));
  const added = add('charge-1').then(
    () => 'added',
    () => 'failed',
  );
  await ready;
  expect(await client.ping()).toBe('PONG');
  expect(await Promise.race([added, Promise.resolve('no end')])).toBe('no end');
  expect(await waiting()).toBe(1);
});

type Retrying = { maxRetriesPerRequest?: number; autoResendUnfulfilledCommands?: boolean };

/** A queue whose script is loaded, so that one `evalsha` is one add. */
async function openQueue(options: Retrying): Promise<void> {
  client = new Redis(proxy.url, options);
  client.on('error', () => undefined);
  queue = new Queue('bare', { connection: client });
  queue.on('error', () => undefined);
  await queue.add('warm', {});
  await looking.del('bull:bare:wait');
}

function add(jobId?: string): Promise<unknown> {
  proxy.arm({ kind: 'swallow-reply', match: /^evalsha$/ });
  return queue.add('charge', {}, jobId === undefined ? {} : { jobId });
}

function waiting(): Promise<number> {
  return looking.llen('bull:bare:wait');
}
