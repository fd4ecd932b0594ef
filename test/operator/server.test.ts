import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildConsole, startConsole } from '../../src/operator/server.ts';
import { openDb } from '../../src/store/db.ts';
import { loginRequest, newWorld, PASSWORD, TOKEN, type World } from './fixture.ts';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.close());

const ANYWHERE = { host: '127.0.0.1', port: 0 };

test('listens where it was told, and nowhere after it was closed, however often', async () => {
  const console = await startConsole(world.deps, ANYWHERE);
  expect(console.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(await (await fetch(`${console.url}/healthz`)).json()).toEqual({ status: 'ok' });
  await console.close();
  await console.close();
  await expect(fetch(`${console.url}/healthz`)).rejects.toThrow();
});

test('a taken port is told by its code', async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as AddressInfo;
  await expect(startConsole(world.deps, { host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await new Promise((resolve) => holder.close(resolve));
});

test.each([{ apiToken: '' }, { operatorPassword: '' }])(
  'does not start where everybody would know %j',
  async (secret) => {
    await expect(startConsole({ ...world.deps, ...secret }, ANYWHERE)).rejects.toThrow(/is empty/);
  },
);

test('nobody may hold a connection open for long', () => {
  const { headersTimeout, requestTimeout, timeout, keepAliveTimeout } = world.app.server;
  expect({ headersTimeout, requestTimeout, timeout, keepAliveTimeout }).toEqual({
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    timeout: 60_000,
    keepAliveTimeout: 10_000,
  });
});

describe('a body', () => {
  const form = (payload: string) => world.app.inject({ ...loginRequest(''), payload });
  const json = (payload: string) =>
    world.app.inject({ ...loginRequest(''), headers: { 'content-type': 'application/json' }, payload });

  test('of more than 64 KiB is refused', async () => {
    expect((await form(`password=${'x'.repeat(64 * 1024)}`)).statusCode).toBe(413);
    expect((await json(JSON.stringify({ password: 'x'.repeat(64 * 1024) }))).statusCode).toBe(413);
  });

  test.each(['{', '', '{"__proto__":{"password":"x"}}', '{"constructor":{"prototype":{}}}', `${'['.repeat(30_000)}`])(
    'that is no decent JSON is refused',
    async (payload) => {
      const response = await json(payload);
      expect(response.statusCode).toBe(400);
      expect(({} as Record<string, unknown>).password).toBeUndefined();
    },
  );

  test.each(['text/plain', 'multipart/form-data; boundary=x', 'application/xml', 'application/json+evil'])(
    'of the type %s is refused, whatever it holds',
    async (type) => {
      const request = { ...loginRequest(''), headers: { 'content-type': type }, payload: `{"password":"${PASSWORD}"}` };
      const response = await world.app.inject(request);
      expect(response.statusCode).toBe(415);
      expect(response.json()).toEqual({ type: 'about:blank', title: 'Unsupported Media Type', status: 415 });
    },
  );
});

test('a URL that cannot be read is refused as a problem', async () => {
  const response = await world.app.inject({ url: '/v1/invoices/%zz' });
  expect(response.statusCode).toBe(400);
  expect(response.headers['content-type']).toBe('application/problem+json');
});

test('an error that nobody expected shows nothing, and is reported with its route and without its values', async () => {
  const other = await newWorld();
  await other.database.db.$executeRaw`ALTER TABLE invoice RENAME TO gone`;
  const response = await other.api('/v1/invoices?subscription_id=sub-1');
  expect(response.statusCode).toBe(500);
  expect(response.json()).toEqual({ type: 'about:blank', title: 'Internal Server Error', status: 500 });
  expect(other.errors).toEqual([{ error: expect.any(Error), where: 'GET /v1/invoices' }]);
  await other.close();
});

describe('while the database is away', () => {
  let away: World['app'];
  const db = openDb({ url: 'postgresql://maedal:secret-of-the-url@127.0.0.1:1/maedal', who: 'maedal/test' });
  const errors: Error[] = [];
  beforeAll(async () => {
    const readiness = () => Promise.reject(new Error('no database at 127.0.0.1:1'));
    const report = (error: Error) => void errors.push(error);
    away = await buildConsole({ ...world.deps, db, readiness, report }, '127.0.0.1');
  });
  afterAll(async () => {
    await away.close();
    await db.$disconnect();
  });

  test('the process is alive and not ready', async () => {
    expect((await away.inject('/healthz')).statusCode).toBe(200);
    const ready = await away.inject('/readyz');
    expect(ready.statusCode).toBe(503);
    expect(ready.json()).toEqual({ status: 'not ready' });
    const told = await away.inject({ url: '/readyz', headers: { authorization: `Bearer ${TOKEN}` } });
    expect(told.json().checks).toEqual([{ name: 'readiness', ok: false, detail: 'Error: no database at 127.0.0.1:1' }]);
  });

  test('the API, a session and a login are answered 503, and nobody gets in', async () => {
    const api = await away.inject({ url: '/v1/invoices', headers: { authorization: `Bearer ${TOKEN}` } });
    expect(api.statusCode).toBe(503);
    expect(api.headers['retry-after']).toBe('5');
    expect(api.json()).toMatchObject({ status: 503, detail: 'the database cannot be reached' });
    expect((await away.inject({ url: '/queues', headers: { cookie: 'maedal=x' } })).statusCode).toBe(503);
    expect((await away.inject(loginRequest(PASSWORD))).statusCode).toBe(503);
    expect(errors.length).toBeGreaterThanOrEqual(3);
    expect(errors.map((error) => `${error.stack}${JSON.stringify(error)}`).join()).not.toContain('secret-of-the-url');
  });
});

test('everybody who asks whether it is ready at one time shares one answer', async () => {
  let asked = 0;
  const readiness = async () => {
    asked += 1;
    await new Promise((resolve) => setImmediate(resolve));
    return { ok: true, checks: [] };
  };
  const app = await buildConsole({ ...world.deps, readiness }, '127.0.0.1');
  await app.ready();
  await Promise.all([app.inject('/readyz'), app.inject('/readyz'), app.inject('/readyz')]);
  expect(asked).toBe(1);
  await app.inject('/readyz');
  expect(asked).toBe(2);
  await app.close();
});
