import { format, inspect } from 'node:util';

import { expect, test } from '@jest/globals';

import { Secret } from '../../src/config/secret.ts';

const canary = 'canary-7f3a';
const secret = new Secret(canary);

test('a secret is told by reveal() alone', () => {
  const holder = { nested: [{ secret }], map: new Map([['key', secret]]) };
  const told = [
    String(secret),
    `${secret}`,
    JSON.stringify(holder),
    inspect(holder, { depth: 9, showHidden: true }),
    format('%s %o %O %j', secret, secret, secret, secret),
    Object.keys(secret).join(),
    Object.entries({ ...secret }).join(),
    inspect(structuredClone({ ...secret })),
  ].join('\n');
  expect(told).not.toContain(canary);
  expect(told).toContain('[secret]');
  expect(secret.reveal()).toBe(canary);
});
