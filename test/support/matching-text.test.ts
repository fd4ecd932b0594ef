import { expect, test } from '@jest/globals';

test('a regular expression in the place of a text is one that it has to match', () => {
  expect({ reason: 'not adopted' }).toMatchObject({ reason: /adopted/ });
  expect({ reason: 'switched off' }).not.toMatchObject({ reason: /adopted/ });
  expect([{ attempts: [{ reason: 'switched off' }] }]).not.toMatchObject([{ attempts: [{ reason: /adopted/ }] }]);
});
