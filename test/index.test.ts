import { expect, test } from '@jest/globals';

import * as frontDoor from '../src/index.ts';

test('the package exports defineConfig, which changes nothing', () => {
  expect(Object.keys(frontDoor)).toEqual(['defineConfig']);
  const config = { catchUp: 'all' } as const;
  expect(frontDoor.defineConfig(config)).toBe(config);
});
