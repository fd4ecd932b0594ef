import { describe, expect, test } from '@jest/globals';

import { everything, problemsOf, resolve } from './resolving.ts';

describe('which gateway', () => {
  const pair = { PORTONE_API_KEY: 'key', PORTONE_API_SECRET: 'api-secret' };
  const sandboxPair = { IMP_KEY: 'imp_sandbox', IMP_SECRET: 'sandbox_secret' };
  test.each([
    ['nothing set', {}, { kind: 'sandbox', baseUrl: 'http://127.0.0.1:4010', runInside: true }],
    [
      'another port',
      { MAEDAL_SANDBOX_PORT: '4999' },
      { kind: 'sandbox', baseUrl: 'http://127.0.0.1:4999', runInside: true },
    ],
    ['a key', pair, { kind: 'portone', baseUrl: 'https://api.iamport.kr', runInside: false }],
    ['its key', sandboxPair, { kind: 'sandbox', baseUrl: 'http://127.0.0.1:4010', runInside: true }],
    [
      'a sandbox elsewhere',
      { PORTONE_BASE_URL: 'http://localhost:4010/' },
      { kind: 'sandbox', baseUrl: 'http://localhost:4010', runInside: false },
    ],
    [
      'a sandbox with keys of its own',
      { PORTONE_BASE_URL: 'http://[::1]:4010', ...pair },
      { kind: 'sandbox', baseUrl: 'http://[::1]:4010', runInside: false },
    ],
    [
      'a sandbox in the next container',
      { PORTONE_BASE_URL: 'http://sandbox:4010' },
      { kind: 'sandbox', baseUrl: 'http://sandbox:4010', runInside: false },
    ],
    [
      'PortOne’s other host',
      { PORTONE_BASE_URL: 'https://static-api.iamport.kr', ...pair },
      { kind: 'portone', baseUrl: 'https://static-api.iamport.kr', runInside: false },
    ],
  ])('%s', async (_, env, gateway) => {
    expect((await resolve(env, {}, everything)).gateway).toMatchObject(gateway);
  });

  test.each([
    [{ PORTONE_API_KEY: 'key' }, 'PORTONE_API_KEY is set and PORTONE_API_SECRET is missing; set both'],
    [{ IMP_SECRET: 'api-secret' }, 'PORTONE_API_SECRET is set and PORTONE_API_KEY is missing; set both'],
    [{ PORTONE_BASE_URL: 'https://api.iamport.kr' }, 'set PORTONE_API_KEY and PORTONE_API_SECRET for it'],
    [{ PORTONE_BASE_URL: 'http://gateway.example', ...pair }, 'use https, or the key would be sent unencrypted'],
    [{ PORTONE_BASE_URL: 'http://127.0.0.1.evil.example', ...pair }, 'use https'],
    [{ MAEDAL_PORT: '4010' }, 'MAEDAL_PORT and MAEDAL_SANDBOX_PORT are both 4010; change one'],
  ])('%j is refused', async (env, expected) => expect(await problemsOf(resolve(env))).toContain(expected));

  test('roles on their own need a gateway that all of them share', async () => {
    const worker = { roles: ['worker'] } as const;
    expect(await problemsOf(resolve({}, {}, worker))).toBe(
      'start --roles needs a gateway; set PORTONE_BASE_URL, or PORTONE_API_KEY and PORTONE_API_SECRET',
    );
    expect((await resolve({ PORTONE_BASE_URL: 'http://127.0.0.1:4010' }, {}, worker)).gateway.runInside).toBe(false);
    expect((await resolve(sandboxPair, {}, worker)).gateway.runInside).toBe(false);
    expect((await resolve(pair, {}, worker)).gateway.kind).toBe('portone');
  });
});
