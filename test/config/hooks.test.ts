import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { ConfigError } from '../../src/config/config-error.ts';
import { parseFileConfig } from '../../src/config/file-config.ts';
import { type Hooks, resolveHooks } from '../../src/config/hooks.ts';
import { defineConfig } from '../../src/index.ts';

const run = () => ({ kind: 'proceed' }) as const;
const SECRET = 'canary-secret-of-24-characters';
const url = { name: 'there', url: 'https://shop.example/hooks', secret: SECRET };

function resolved(hooks: unknown): Hooks {
  const problems: string[] = [];
  const found = resolveHooks(parseFileConfig({ hooks }).hooks, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return found;
}

function problemsOf(hooks: unknown): string {
  try {
    resolved(hooks);
    return '';
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.join('\n');
    throw error;
  }
}

test('a hook is a function or a url, with a limit of ten seconds, and is asked again when it fails', () => {
  const { beforeCharge, afterCharge, notify } = resolved({
    beforeCharge: [{ name: 'meter', run }],
    afterCharge: [url],
  });
  expect(beforeCharge).toEqual([{ name: 'meter', timeoutMs: 10_000, onError: 'defer', target: { kind: 'function' } }]);
  expect(afterCharge).toMatchObject([{ name: 'there', target: { kind: 'url', url: url.url, allowAddresses: [] } }]);
  expect(notify).toEqual([]);
});

test('what is written of a hook is kept', () => {
  const own = { ...url, url: 'http://10.0.3.7:8080/x?y=1', allowAddresses: ['10.0.0.0/8', 'fd00::1'] };
  const { beforeCharge } = resolved({ beforeCharge: [{ ...own, timeoutMs: 40_000, onError: 'block' }] });
  expect(beforeCharge).toMatchObject([
    { timeoutMs: 40_000, onError: 'block', target: { url: own.url, allowAddresses: own.allowAddresses } },
  ]);
});

test('secrets may be several, and none of them is ever shown', () => {
  const standard = `whsec_${Buffer.alloc(32, 'c').toString('base64')}`;
  const { notify } = resolved({ notify: [{ ...url, secret: [standard, SECRET] }] });
  const target = notify[0]?.target;
  expect(target?.kind === 'url' ? target.secrets.map((secret) => secret.reveal()) : []).toEqual([standard, SECRET]);
  expect(`${inspect(notify, { depth: 9, showHidden: true })}${JSON.stringify(notify)}`).not.toMatch(/canary|whsec/);
});

test.each([
  [
    {
      beforeCharge: [
        { name: 'a', run },
        { name: 'a', run },
      ],
    },
    "hooks.beforeCharge.1.name is 'a', as hooks.beforeCharge.0",
  ],
  [
    { notify: [{ name: 'a', run }], beforeCharge: [{ ...url, name: 'a' }] },
    "hooks.notify.0.name is 'a', as hooks.beforeCharge.0: each hook needs a name of its own",
  ],
])('a name that is used twice is refused with its place: %j', (hooks, expected) => {
  expect(problemsOf(hooks)).toContain(expected);
});

describe('a wrong hook is named with its path', () => {
  test.each([
    [[], 'hooks is a list: write an object'],
    [{ beforeCharges: [] }, 'hooks.beforeCharges is not a setting; did you mean beforeCharge?'],
    [{ beforeCharge: run }, 'hooks.beforeCharge is'],
    [{ beforeCharge: [{ run }] }, 'hooks.beforeCharge.0.name is missing'],
    [{ beforeCharge: [{ name: 'a b', run }] }, "hooks.beforeCharge.0.name is 'a b': a name is 1 to 64"],
    [
      { beforeCharge: [{ name: 'a' }] },
      'hooks.beforeCharge.0.run is missing: write run, a function, or url and secret',
    ],
    [{ beforeCharge: [{ name: 'a', run: 'x' }] }, "hooks.beforeCharge.0.run is 'x': write a function"],
    [{ beforeCharge: [{ name: 'a', run, timeout: 1 }] }, 'timeout is not a setting; did you mean timeoutMs?'],
    [{ beforeCharge: [{ name: 'a', run, timeoutMs: 40_001 }] }, 'write at most 40000'],
    [{ beforeCharge: [{ name: 'a', run, onError: 'retry' }] }, 'use one of block, proceed, defer'],
    [{ afterCharge: [{ name: 'a', run, onError: 'block' }] }, 'hooks.afterCharge.0.onError is not a setting'],
    [{ notify: [{ ...url, run }] }, 'hooks.notify.0.run is [Function: run]: a hook is a function or a url'],
    [{ notify: [{ name: 'a', run, secret: SECRET }] }, 'hooks.notify.0.secret is not shown: only what is sent'],
    [{ notify: [{ name: 'a', run, allowAddresses: [] }] }, 'only a url has an address'],
    [{ notify: [{ ...url, secret: undefined }] }, 'hooks.notify.0.secret is missing: what is sent to a url is signed'],
    [{ notify: [{ ...url, secret: 'canary' }] }, 'hooks.notify.0.secret is not shown: write 24 to 128'],
    [{ notify: [{ ...url, secret: [] }] }, 'hooks.notify.0.secret is not shown'],
    [{ notify: [{ ...url, secret: 'whsec_canary!' }] }, 'hooks.notify.0.secret is not shown'],
    [{ notify: [{ ...url, url: 'shop.example/hooks' }] }, 'write a whole URL'],
    [{ notify: [{ ...url, url: 'ftp://shop.example' }] }, 'write a whole URL'],
    [{ notify: [{ ...url, url: 'http://shop.example' }] }, 'use https; http is for addresses of your own network'],
    [{ notify: [{ ...url, url: 'https://shop.example:9443' }] }, 'use port 443 or 8443; others are for'],
    [{ notify: [{ ...url, url: 'https://me:pw@shop.example' }] }, 'write no user name or password'],
    [{ notify: [{ ...url, url: 'https://shop.example/#x' }] }, 'nothing behind # is ever sent'],
    [{ notify: [{ ...url, allowAddresses: ['shop.example'] }] }, 'write an address or a network'],
    [{ notify: [{ ...url, allowAddresses: ['10.0.0.0/33'] }] }, 'write an address or a network'],
    [{ notify: [{ ...url, allowAddresses: ['10.0.0.0/8/8'] }] }, 'write an address or a network'],
    [{ notify: [{ ...url, allowAddresses: ['fe80::1%eth0'] }] }, 'write an address or a network'],
  ])('%j', (hooks, expected) => {
    expect(problemsOf(hooks)).toContain(expected);
    expect(problemsOf(hooks)).not.toContain('canary');
  });
});

test('a function hook has its context and its answers typed', () => {
  const config = defineConfig({
    hooks: {
      beforeCharge: [
        {
          name: 'vip',
          run: ({ subscription }) =>
            subscription.id === 'vip' ? { kind: 'skip', reason: 'vip' } : { kind: 'proceed' },
        },
        {
          name: 'meter',
          onError: 'block',
          run: async ({ invoice }) => ({ kind: 'adjust', amount: invoice.amount - 1 }),
        },
        { name: 'stock', run: ({ now }) => ({ kind: 'defer', until: new Date(now) }) },
        // @ts-expect-error an answer of no kind that there is
        { name: 'wrong', run: () => ({ kind: 'retry' }) },
      ],
      notify: [{ name: 'sms', run: ({ id, logger }) => logger.info(id) }, { ...url }],
    },
  });
  expect(resolved(config.hooks).beforeCharge.map(({ name }) => name)).toEqual(['vip', 'meter', 'stock', 'wrong']);
});
