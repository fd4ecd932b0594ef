import { expect, test } from '@jest/globals';

import { InputError } from '../../src/billing/errors.ts';
import { parseRoles, ROLES } from '../../src/config/roles.ts';

test.each([
  ['worker', ['worker']],
  ['scheduler,worker', ['scheduler', 'worker']],
  ['scheduler, worker , console', [...ROLES]],
  ['worker,worker', ['worker']],
])('--roles %s', (text, roles) => expect(parseRoles(text)).toEqual(roles));

test.each(['', 'workers', 'worker,', 'all', 'worker;console'])('--roles %j is refused', (text) => {
  expect(() => parseRoles(text)).toThrow(InputError);
});

test('a near miss is named', () =>
  expect(() => parseRoles('workers')).toThrow("'workers' is not a role; did you mean worker?"));
