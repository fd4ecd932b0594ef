import { expect, test } from '@jest/globals';

import * as frontDoor from '../src/index.ts';
import * as testDoor from '../src/testing.ts';

test('the package exports defineConfig, which changes nothing', () => {
  expect(Object.keys(frontDoor)).toEqual(['defineConfig']);
  const config = { catchUp: 'all' } as const;
  expect(frontDoor.defineConfig(config)).toBe(config);
});

test('maedal/testing exports what a merchant tests hooks with, and nothing else', () => {
  expect(Object.keys(testDoor).sort()).toEqual([
    'chargeContext',
    'event',
    'runBeforeHook',
    'runEventHook',
    'startSandbox',
    'virtualClock',
  ]);
});
