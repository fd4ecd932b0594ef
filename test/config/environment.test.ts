import { inspect } from 'node:util';

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { ConfigError } from '../../src/config/config-error.ts';
import { readEnvironment } from '../../src/config/environment.ts';
import type { Env } from '../../src/config/settings.ts';
import { file as fileIn, newDir } from './temporary.ts';

const canary = 'canary-0123456789-0123456789-0123456789';
const dir = newDir();
const file = (name: string, text: string) => fileIn(dir, name, text);

function problemsOf(env: Env): readonly string[] {
  try {
    readEnvironment(env, '/srv');
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

test('an empty environment means the defaults', () => {
  expect(readEnvironment({}, '/srv')).toEqual({
    mode: 'test',
    databaseUrl: null,
    redisUrl: null,
    apiKey: null,
    apiSecret: null,
    baseUrl: null,
    secret: null,
    apiToken: null,
    operatorPassword: null,
    configFile: null,
    host: '127.0.0.1',
    port: 3000,
    sandboxPort: 4010,
    dataDir: '/srv/.maedal',
    logLevel: 'info',
    healthFile: null,
    failpoints: null,
  });
});

test('every variable is read', () => {
  const environment = readEnvironment(
    {
      MAEDAL_ENV: 'live',
      DATABASE_URL: 'postgresql://maedal:pw@db:5432/maedal',
      REDIS_URL: 'rediss://:pw@redis:6379/1',
      PORTONE_API_KEY: 'key',
      PORTONE_API_SECRET: 'api-secret',
      PORTONE_BASE_URL: 'https://api.iamport.kr/',
      MAEDAL_SECRET: 's'.repeat(32),
      MAEDAL_API_TOKEN: 'token',
      MAEDAL_OPERATOR_PASSWORD: 'password',
      MAEDAL_CONFIG: 'etc/maedal.config.ts',
      MAEDAL_HOST: '0.0.0.0',
      MAEDAL_PORT: '0',
      MAEDAL_SANDBOX_PORT: '4011',
      MAEDAL_DATA_DIR: '/var/lib/data',
      LOG_LEVEL: 'debug',
      PATH: '/usr/bin',
    },
    '/srv',
  );
  expect(environment).toMatchObject({
    mode: 'live',
    baseUrl: { href: 'https://api.iamport.kr', isSecure: true, isPortOne: true },
    configFile: '/srv/etc/maedal.config.ts',
    host: '0.0.0.0',
    port: 0,
    sandboxPort: 4011,
    dataDir: '/var/lib/data',
    logLevel: 'debug',
  });
  const { databaseUrl, redisUrl, apiKey, apiSecret, secret, apiToken, operatorPassword } = environment;
  const secrets = [databaseUrl, redisUrl, apiKey, apiSecret, secret, apiToken, operatorPassword];
  expect(secrets.map((each) => each?.reveal())).toEqual([
    'postgresql://maedal:pw@db:5432/maedal',
    'rediss://:pw@redis:6379/1',
    'key',
    'api-secret',
    's'.repeat(32),
    'token',
    'password',
  ]);
  expect(inspect(environment, { depth: 9 })).not.toMatch(/pw@|api-secret|ssss|token'|password'/);
});

test('PortOne’s old names of the key pair serve as well', () => {
  const { apiKey, apiSecret } = readEnvironment({ IMP_KEY: 'key', IMP_SECRET: 'api-secret' }, '/srv');
  expect([apiKey?.reveal(), apiSecret?.reveal()]).toEqual(['key', 'api-secret']);
  expect(problemsOf({ IMP_KEY: 'one', PORTONE_API_KEY: 'other' })).toEqual([
    'PORTONE_API_KEY and IMP_KEY differ; keep one',
  ]);
  expect(problemsOf({ IMP_KEY: 'same', PORTONE_API_KEY: 'same' })).toEqual([]);
});

test('an empty variable counts as unset', () => {
  expect(readEnvironment({ DATABASE_URL: '', MAEDAL_ENV: '', MAEDAL_SECRET: '', MAEDAL_PORT: '' }, '/srv')).toEqual(
    readEnvironment({}, '/srv'),
  );
});

describe('secrets in files', () => {
  test.each([
    ['bare', canary],
    ['line', `${canary}\n`],
    ['windows', `${canary}\r\n`],
    ['lines', `${canary}\n\n`],
  ])('%s', (name, text) => {
    expect(readEnvironment({ MAEDAL_SECRET_FILE: file(name, text) }, '/srv').secret?.reveal()).toBe(canary);
  });

  test.each([
    [{ MAEDAL_SECRET_FILE: file('empty', '') }, 'the file that MAEDAL_SECRET_FILE names is empty'],
    [{ MAEDAL_SECRET_FILE: file('newline', '\n') }, 'the file that MAEDAL_SECRET_FILE names is empty'],
    [{ MAEDAL_SECRET_FILE: file('space', ` ${canary}`) }, 'begins or ends with white space'],
    [{ MAEDAL_SECRET_FILE: file('short', 'short\n') }, 'has fewer than 32 characters'],
    [{ DATABASE_URL_FILE: '/nowhere/url' }, 'DATABASE_URL_FILE names /nowhere/url, which cannot be read: ENOENT'],
    [{ IMP_SECRET_FILE: dir }, 'which cannot be read: EISDIR'],
    [{ MAEDAL_SECRET_FILE: 'a\0b' }, 'which cannot be read'],
    [{ MAEDAL_API_TOKEN: 'token', MAEDAL_API_TOKEN_FILE: file('token', 'token') }, 'are both set; keep one'],
  ])('%j is refused', (env, expected) => expect(problemsOf(env).join('\n')).toContain(expected));
});

describe('a wrong value is named', () => {
  test.each([
    [{ MAEDAL_ENV: 'production' }, "MAEDAL_ENV is 'production'; use one of test, live"],
    [{ MAEDAL_ENV: 'LIVE' }, "MAEDAL_ENV is 'LIVE'"],
    [{ MAEDAL_PORT: '65536' }, "MAEDAL_PORT is '65536'; write a port from 0 to 65535"],
    [{ MAEDAL_PORT: '3000x' }, 'MAEDAL_PORT is'],
    [{ MAEDAL_PORT: '-1' }, 'MAEDAL_PORT is'],
    [{ MAEDAL_SANDBOX_PORT: '0' }, 'MAEDAL_SANDBOX_PORT is'],
    [{ MAEDAL_HOST: 'http://localhost' }, 'MAEDAL_HOST is'],
    [{ LOG_LEVEL: 'verbose' }, "LOG_LEVEL is 'verbose'; use one of trace, debug"],
    [{ PORTONE_BASE_URL: 'api.iamport.kr' }, 'PORTONE_BASE_URL is'],
    [{ PORTONE_BASE_URL: 'ftp://api.iamport.kr' }, 'PORTONE_BASE_URL is'],
    [{ PORTONE_BASE_URL: 'https://user:pw@api.iamport.kr' }, 'PORTONE_BASE_URL is'],
    [{ PORTONE_BASE_URL: 'https://api.iamport.kr/v1' }, 'PORTONE_BASE_URL is'],
    [{ PORTONE_BASE_URL: 'https://api.iamport.kr?x=1' }, 'PORTONE_BASE_URL is'],
    [{ DATABASE_URL: 'mysql://db/maedal' }, 'DATABASE_URL is not a URL that begins with postgres:// or postgresql://'],
    [{ DATABASE_URL: 'db:5432' }, 'DATABASE_URL is not a URL'],
    ...['0', 'all', '', '1000', '4&connection_limit=5'].map(
      (limit) =>
        [
          { DATABASE_URL: `postgres://db/maedal?connection_limit=${limit}` },
          'DATABASE_URL has a connection_limit that is not one whole number from 1 to 999',
        ] as const,
    ),
    [
      { DATABASE_URL: 'postgres://db/maedal?sslmode=require?connection_limit=4' },
      'DATABASE_URL has a second ? in its query: join its parts by &',
    ],
    [{ REDIS_URL: 'localhost:6379' }, 'REDIS_URL is not a URL that begins with redis:// or rediss://'],
    [{ MAEDAL_SECRET: 's'.repeat(31) }, 'MAEDAL_SECRET has fewer than 32 characters'],
    [{ MAEDAL_SECRTE: canary }, 'MAEDAL_SECRTE is not a setting; did you mean MAEDAL_SECRET?'],
    [{ MAEDAL_WORKERS: '4' }, 'MAEDAL_WORKERS is not a setting; remove it'],
    [{ MAEDAL_ENV_FILE: '/x' }, 'MAEDAL_ENV_FILE is not a setting'],
    [{ MAEDAL_: '' }, 'MAEDAL_ is not a setting'],
  ])('%j', (env, expected) => expect(problemsOf(env).join('\n')).toContain(expected));

  test('all at once', () => {
    const problems = problemsOf({ MAEDAL_ENV: 'prod', MAEDAL_PORT: 'x', MAEDAL_SECRET: 'short', MAEDAL_FOO: '1' });
    expect(problems).toHaveLength(4);
  });
});

test('what Kubernetes injects for services named maedal is no setting of ours', () => {
  const injected = {
    MAEDAL_SERVICE_HOST: '10.0.171.239',
    MAEDAL_SERVICE_PORT: '3000',
    MAEDAL_SERVICE_PORT_HTTP: '3000',
    MAEDAL_PORT: 'tcp://10.0.171.239:3000',
    MAEDAL_PORT_3000_TCP: 'tcp://10.0.171.239:3000',
    MAEDAL_PORT_3000_TCP_PROTO: 'tcp',
    MAEDAL_PORT_3000_TCP_PORT: '3000',
    MAEDAL_PORT_3000_TCP_ADDR: '10.0.171.239',
    MAEDAL_CONSOLE_SERVICE_HOST: '10.0.171.240',
    MAEDAL_CONSOLE_PORT: 'tcp://[fd00::1]:3000',
    MAEDAL_SANDBOX_PORT: 'tcp://10.0.171.241:4010',
  };
  expect(readEnvironment(injected, '/srv')).toEqual(readEnvironment({}, '/srv'));
  expect(problemsOf({ MAEDAL_SERVICE: 'x', MAEDAL_PORT_3000: '1', MAEDAL_CONSOLE_PORT: '3000' })).toHaveLength(3);
});

test('no message quotes a secret', () => {
  const secrets = ['DATABASE_URL', 'REDIS_URL', 'PORTONE_API_KEY', 'PORTONE_API_SECRET', 'IMP_KEY', 'IMP_SECRET'];
  const ours = ['MAEDAL_SECRET', 'MAEDAL_API_TOKEN', 'MAEDAL_OPERATOR_PASSWORD'];
  const spoilt = [` ${canary}`, `mysql://u:${canary}@db/x`, `${canary}\n\n${canary}\n`, canary.slice(0, 20)];
  for (const name of [...secrets, ...ours]) {
    for (const [index, text] of spoilt.entries()) {
      const told = [
        ...problemsOf({ [name]: text, IMP_KEY: 'other', IMP_SECRET: 'other' }),
        ...problemsOf({ [`${name}_FILE`]: file(`spoilt-${index}`, text), PORTONE_API_KEY: 'other' }),
        ...problemsOf({ [name]: text, [`${name}_FILE`]: '/nowhere' }),
        ...problemsOf({ [`${name}S`]: text }),
      ].join('\n');
      expect(told).not.toContain(canary.slice(0, 20));
    }
  }
});

test('any environment is read or refused by ConfigError', () => {
  const names = fc.constantFrom(
    ...['MAEDAL_ENV', 'MAEDAL_SECRET', 'MAEDAL_SECRET_FILE', 'MAEDAL_PORT', 'MAEDAL_HOST', 'MAEDAL_CONFIG', 'MAEDAL_X'],
    ...['DATABASE_URL', 'REDIS_URL', 'PORTONE_BASE_URL', 'PORTONE_API_KEY', 'IMP_KEY', 'LOG_LEVEL', 'MAEDAL_DATA_DIR'],
  );
  const values = fc.oneof(
    fc.string(),
    fc.webUrl(),
    fc.constantFrom('live', 'test', '3000', '/', 'tcp://1.2.3.4:5', 'postgres://', 'redis://x', '\0', canary),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.oneof(names, fc.string()), values), (env) => void problemsOf(env)),
    {
      numRuns: 300,
    },
  );
});
