import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { resolveConfig } from '../../src/config/resolve.ts';
import { cwdWith, everything, LIVE, problemsOf, resolve } from './resolving.ts';

function without(name: keyof typeof LIVE) {
  return { ...LIVE, [name]: undefined };
}

describe('live', () => {
  test('a whole configuration is taken', async () => {
    const config = await resolve(LIVE, {}, everything);
    expect(config).toMatchObject({
      mode: 'live',
      database: { kind: 'url' },
      queue: { kind: 'redis' },
      gateway: { kind: 'portone', baseUrl: 'https://api.iamport.kr', runInside: false },
      credentialsFile: null,
      channels: { default: { timeoutSeconds: 60, horizonSeconds: 3_600, quarantineSeconds: 86_400 } },
    });
  });

  test.each([
    ['DATABASE_URL', 'DATABASE_URL is missing; live refuses the embedded database'],
    ['MAEDAL_SECRET', 'MAEDAL_SECRET is missing; live refuses a generated one'],
    ['MAEDAL_API_TOKEN', 'MAEDAL_API_TOKEN is missing'],
    ['MAEDAL_OPERATOR_PASSWORD', 'MAEDAL_OPERATOR_PASSWORD is missing'],
    ['PORTONE_API_KEY', 'PORTONE_API_KEY is missing'],
  ] as const)('needs %s', async (name, expected) => {
    expect(await problemsOf(resolve(without(name), {}, everything))).toContain(expected);
  });

  test('with nothing else set, tells all that is missing at once, and writes nothing', async () => {
    const cwd = cwdWith({});
    const problems = await problemsOf(resolveConfig({ env: { MAEDAL_ENV: 'live' }, cwd, start: everything }));
    for (const name of [
      'DATABASE_URL',
      'MAEDAL_SECRET',
      'MAEDAL_API_TOKEN',
      'MAEDAL_OPERATOR_PASSWORD',
      'PORTONE_API_KEY',
    ]) {
      expect(problems).toContain(`${name} `);
    }
    expect(existsSync(join(cwd, '.maedal'))).toBe(false);
  });

  test('a process that serves no HTTP needs no login', async () => {
    const env = { ...LIVE, MAEDAL_API_TOKEN: undefined, MAEDAL_OPERATOR_PASSWORD: undefined };
    expect((await resolve(env, {}, { roles: ['worker'] })).login).toBeNull();
    expect((await resolve(env)).login).toBeNull();
    expect(await problemsOf(resolve(env, {}, { roles: ['console'] }))).toContain('MAEDAL_API_TOKEN is missing');
  });

  test.each([
    [{ PORTONE_API_KEY: 'imp_sandbox' }, "PORTONE_API_KEY is the sandbox's; live charges through PortOne"],
    [{ PORTONE_BASE_URL: 'http://127.0.0.1:4010' }, 'live sends its key to https://api.iamport.kr alone'],
    [{ PORTONE_BASE_URL: 'https://api.iamport.kr.evil.example' }, 'live sends its key to'],
    [{ PORTONE_BASE_URL: 'https://api.iamport.kr:8443' }, 'live sends its key to'],
    [{ MAEDAL_SECRET: 'short' }, 'MAEDAL_SECRET has fewer than 32 characters'],
    [{ MAEDAL_API_TOKEN: 'short' }, 'MAEDAL_API_TOKEN has fewer than 16 characters'],
    [{ MAEDAL_OPERATOR_PASSWORD: 'short' }, 'MAEDAL_OPERATOR_PASSWORD has fewer than 12 characters'],
  ])('refuses %j', async (env, expected) => {
    const problems = await problemsOf(resolve({ ...LIVE, ...env }, {}, everything));
    expect(problems).toContain(expected);
    expect(problems).not.toContain('is missing'); // what is wrong is not told as missing too
  });

  test.each([
    [
      { dunning: { default: { minGapHours: 23 } } },
      'dunning.default.minGapHours is 23: live tries a card at most once a day, 24',
    ],
    [
      { channels: { default: { timeoutSeconds: 59 } } },
      'channels.default.timeoutSeconds is 59: live needs at least 60',
    ],
    [{ channels: { nice: { horizonSeconds: 600 } } }, 'channels.nice.horizonSeconds is 600: live needs at least 3600'],
    [
      { channels: { nice: { quarantineSeconds: 3_600 } } },
      'channels.nice.quarantineSeconds is 3600: live needs at least 86400',
    ],
    [{ channels: { nice: { mode: 'test' } } }, "channels.nice.mode is 'test', but MAEDAL_ENV is live"],
    [{ dunning: { default: { minGapHours: 1 } } }, 'dunning.default.minGapHours is 1'],
    [{ limits: { leaseSeconds: 60 } }, 'limits.leaseSeconds is 60: live needs at least 90'],
  ])('refuses %j', async (config, expected) => expect(await problemsOf(resolve(LIVE, config))).toContain(expected));

  test('problems of the environment and of the file are told together', async () => {
    const problems = await problemsOf(resolve({ ...without('DATABASE_URL'), MAEDAL_FOO: '1' }, { shedule: 1 }));
    for (const part of ['MAEDAL_FOO', 'DATABASE_URL', 'shedule']) expect(problems).toContain(part);
  });
});
