import { channel } from 'node:diagnostics_channel';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { buildConsole } from '../../src/operator/server.ts';
import { newWorldWithQueue, PASSWORD, TOKEN, type World } from './fixture.ts';

let world: World;
let port: number;
const routes: RouteOptions[] = [];
const agent = new Agent({ keepAlive: true, maxSockets: 8 });

beforeAll(async () => {
  const collect = (message: unknown) => {
    (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', (route) => void routes.push(route));
  };
  channel('fastify.initialization').subscribe(collect);
  world = await newWorldWithQueue();
  channel('fastify.initialization').unsubscribe(collect);
  await world.app.listen({ host: '127.0.0.1', port: 0 });
  port = (world.app.server.address() as AddressInfo).port;
});
afterAll(async () => {
  agent.destroy();
  await world.close();
});

type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string };

/** One request with the path as it is written; `fetch` and `inject` would tidy it up. */
function ask(method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request({ port, host: '127.0.0.1', method, path, headers, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    call.on('error', reject).end(body);
  });
}

const PUBLIC = new Set([
  'GET /healthz',
  'GET /readyz',
  'GET /login',
  'GET /login.css',
  'GET /favicon.ico',
  'POST /login',
]);
const isPublic = (method: string, path: string) => PUBLIC.has(`${method === 'HEAD' ? 'GET' : method} ${path}`);
const isRefused = ({ status, headers }: Answer) =>
  [401, 403, 404].includes(status) || (status === 302 && headers.location === '/login');
const paths = () => [...new Set(routes.map((route) => route.url.replace(/:\w+/g, 'x').replace('*', 'x.js')))];

test('the walk below knows every face', () => {
  expect(paths()).toEqual(expect.arrayContaining(['/', '/v1/invoices/x', '/v1/subscriptions', '/logout', '/queues/']));
  expect(paths()).toEqual(expect.arrayContaining(['/queues/api/queues/x/obliterate', '/queues/static/x.js']));
  expect(paths().length).toBeGreaterThan(45);
});

test('only health, login and its looks are open: every other route refuses a stranger, whatever the method', async () => {
  const open: string[] = [];
  for (const path of paths()) {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
      if (!isRefused(await ask(method, path))) open.push(`${method} ${path}`);
    }
  }
  expect(open.sort()).toEqual(
    [
      ...PUBLIC,
      ...[...PUBLIC].filter((name) => name.startsWith('GET')).map((name) => name.replace('GET', 'HEAD')),
    ].sort(),
  );
});

const SPELLINGS: readonly ((path: string) => string)[] = [
  (path) => path.toUpperCase(),
  (path) => path.replace(/[a-z]/, (letter) => letter.toUpperCase()),
  (path) => `/${path}`,
  (path) => path.replace(/\/(?=[^/]*$)/, '//'),
  (path) => `${path}/`,
  (path) => `${path}.`,
  (path) => `${path}%2e`,
  (path) => `${path}%20`,
  (path) => `${path}%00`,
  (path) => `${path};a=b`,
  (path) => `${path}?a=b`,
  (path) => `/.${path}`,
  (path) => `/%2e${path}`,
  (path) => `/healthz/..${path}`,
  (path) => `/healthz/%2e%2e${path}`,
  (path) => `/login%2f..${path}`,
  (path) => path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
  (path) => `http://127.0.0.1${path}`,
];

test('no spelling of a path goes around the guard', async () => {
  const open: string[] = [];
  for (const path of paths().filter((known) => !isPublic('GET', known))) {
    for (const spelling of SPELLINGS.map((spell) => spell(path))) {
      for (const method of ['GET', 'POST']) {
        if (!isRefused(await ask(method, spelling))) open.push(`${method} ${spelling}`);
      }
    }
  }
  expect(open).toEqual([]);
});

test.each([
  { 'x-original-url': '/healthz' },
  { 'x-rewrite-url': '/healthz' },
  { 'x-http-method-override': 'GET' },
  { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-host': 'localhost', forwarded: 'for=127.0.0.1' },
  { authorization: `Basic ${Buffer.from(`operator:${PASSWORD}`).toString('base64')}` },
  { cookie: 'maedal=; __Host-maedal=' },
  { cookie: 'maedal=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
  { cookie: `maedal=${TOKEN}` },
  { authorization: `Bearer ${TOKEN}` },
])('headers that a stranger may send open nothing: %j', async (headers) => {
  for (const path of ['/', '/queues', '/queues/api/queues', '/nowhere']) {
    expect(await ask('GET', path, headers)).toMatchObject({ status: 401 });
  }
});

describe('/v1', () => {
  test.each([
    ['nothing', {}],
    ['an empty token', { authorization: 'Bearer ' }],
    ['a prefix of the token', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    ['the token and more', { authorization: `Bearer ${TOKEN}x` }],
    ['the token without its scheme', { authorization: TOKEN }],
    ['the password', { authorization: `Bearer ${PASSWORD}` }],
    ['10,000 characters', { authorization: `Bearer ${'x'.repeat(10_000)}` }],
  ])('refuses %s and says how to come in', async (_what, headers) => {
    const answer = await ask('GET', '/v1/invoices', headers);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="maedal"');
    expect(answer.headers['content-type']).toBe('application/problem+json');
  });

  test('takes no token from the query string, and no session', async () => {
    expect((await ask('GET', `/v1/invoices?access_token=${TOKEN}&token=${TOKEN}`)).status).toBe(401);
    expect((await ask('GET', '/v1/invoices', { cookie: await world.logIn() })).status).toBe(401);
  });

  test('opens to the token, and hides what does not exist until then', async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect((await ask('GET', '/v1/invoices', headers)).status).toBe(200);
    expect((await ask('GET', '/v1/nowhere')).status).toBe(401);
    expect((await ask('GET', '/v1/nowhere', headers)).status).toBe(404);
  });
});

test('a page is sent to the login, a script is told 401', async () => {
  expect(await ask('GET', '/', { accept: 'text/html' })).toMatchObject({
    status: 302,
    headers: { location: '/login' },
  });
  expect(await ask('GET', '/', { accept: 'application/json' })).toMatchObject({ status: 401 });
  expect(await ask('POST', '/logout', { accept: 'text/html' })).toMatchObject({ status: 401 });
});

test('health says that the process is alive, and details of readiness only to the token', async () => {
  expect(JSON.parse((await ask('GET', '/healthz')).body)).toEqual({ status: 'ok' });
  expect(JSON.parse((await ask('GET', '/readyz')).body)).toEqual({ status: 'ready' });
  expect((await ask('GET', '/readyz', { authorization: `Bearer ${TOKEN}` })).body).toContain('db.internal');
});

describe('on a loopback address', () => {
  test.each(['localhost', '127.0.0.1', '[::1]', 'localhost:3000', '127.0.0.1:3000', '[::1]:3000', 'LOCALHOST'])(
    'the host name %s is served',
    async (host) => {
      expect((await ask('GET', '/healthz', { host })).status).toBe(200);
    },
  );

  test.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', 'localhost@evil.example', '10.0.0.1'])(
    'the host name %s is refused: a page elsewhere may have rebound it',
    async (host) => {
      for (const path of ['/healthz', '/login', '/v1/invoices', '/nowhere']) {
        expect((await ask('GET', path, { host, authorization: `Bearer ${TOKEN}` })).status).toBe(403);
      }
    },
  );

  test('the refusal says what a proxy in front needs', async () => {
    expect((await ask('GET', '/login', { host: 'billing.example' })).body).toContain(
      'for a proxy in front, set MAEDAL_HOST',
    );
  });

  test('on another address every name is served', async () => {
    const app = await buildConsole(world.deps, '0.0.0.0');
    expect((await app.inject({ url: '/healthz', headers: { host: 'billing.example' } })).statusCode).toBe(200);
    await app.close();
  });
});

describe('a state-changing request with a session', () => {
  const own = () => `http://127.0.0.1:${port}`;
  test.each([
    ['another origin', () => ({ origin: 'https://evil.example' })],
    ['a null origin', () => ({ origin: 'null' })],
    ['our origin on another port', () => ({ origin: 'http://127.0.0.1:1' })],
    ['no origin at all', () => ({})],
    ['a cross-site fetch', () => ({ 'sec-fetch-site': 'cross-site' })],
    ['a same-site fetch', () => ({ 'sec-fetch-site': 'same-site' })],
    ['our origin, but a cross-site fetch', () => ({ origin: own(), 'sec-fetch-site': 'cross-site' })],
    [
      'a same-origin fetch, but another origin',
      () => ({ origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }),
    ],
  ])('is refused from %s', async (_what, headers) => {
    const cookie = await world.logIn();
    expect((await ask('POST', '/logout', { cookie, ...headers() })).status).toBe(403);
    expect((await ask('PUT', '/queues/api/queues/pause', { cookie, ...headers() })).status).toBe(403);
    expect((await ask('GET', '/', { cookie })).status).toBe(200);
  });

  test.each([
    ['our origin', () => ({ origin: own() })],
    ['a same-origin fetch', () => ({ 'sec-fetch-site': 'same-origin' })],
  ])('is taken from %s', async (_what, headers) => {
    const cookie = await world.logIn();
    expect((await ask('POST', '/logout', { cookie, ...headers() })).status).toBe(303);
  });

  test('a login may come from a script without an origin, and from no other site', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = `password=${PASSWORD}`;
    expect((await ask('POST', '/login', form, body)).status).toBe(303);
    expect((await ask('POST', '/login', { ...form, origin: 'https://evil.example' }, body)).status).toBe(403);
  });
});
