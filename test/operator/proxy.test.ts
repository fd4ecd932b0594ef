import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { buildConsole } from '../../src/operator/server.ts';
import { newWorld, PASSWORD, type World } from './fixture.ts';

let world: World;
let app: FastifyInstance;
beforeAll(async () => {
  world = await newWorld();
  app = await buildConsole(world.deps, '0.0.0.0');
});
afterAll(async () => {
  await app.close();
  await world.close();
});

const logIn = (host: string) =>
  app.inject({
    method: 'POST',
    url: '/login',
    headers: {
      host,
      origin: 'https://billing.example',
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/x-www-form-urlencoded',
    },
    payload: `password=${PASSWORD}`,
  });

test('behind a proxy that speaks TLS an operator logs in, and the cookie is for HTTPS alone', async () => {
  const answer = await logIn('billing.example');
  expect(answer.statusCode).toBe(303);
  expect(answer.cookies).toEqual([expect.objectContaining({ name: '__Host-maedal', secure: true })]);
  const [{ value } = { value: '' }] = answer.cookies;
  const headers = { host: 'billing.example', cookie: `__Host-maedal=${value}` };
  expect((await app.inject({ url: '/', headers })).statusCode).toBe(200);
});

test('a proxy that puts its own name in place of the host is told so', async () => {
  const answer = await logIn('127.0.0.1:3000');
  expect(answer.statusCode).toBe(403);
  expect(answer.json().detail).toContain('a proxy that changed `Host`');
});
