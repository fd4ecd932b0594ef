import { expect, test } from '@jest/globals';
import { urlHooks, withoutUrlHooks } from '../../src/cli/url-hooks.ts';

const hook = (name: string, kind: 'function' | 'url') => ({ name, target: { kind } });
const configured = (...beforeCharge: ReturnType<typeof hook>[]) => ({ hooks: { beforeCharge } });

test('a simulation and a forecast name the before-hooks that they do without, which are URLs', () => {
  const config = configured(hook('meter', 'url'), hook('gate', 'function'), hook('stock', 'url'));
  expect(urlHooks(config)).toEqual(['meter', 'stock']);
  expect(withoutUrlHooks('66 subscriptions', config)).toBe(
    '66 subscriptions\nnot asked, as if they had said proceed: meter, stock (URLs)',
  );
  expect(withoutUrlHooks('66 subscriptions', configured(hook('gate', 'function')))).toBe('66 subscriptions');
});
