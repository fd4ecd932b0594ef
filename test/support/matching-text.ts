import { expect } from '@jest/globals';

// To `toMatchObject` a regular expression is an object without fields, which any text matches. Here it is one that the text
// has to match.
expect.addEqualityTesters([
  (received, expected) =>
    typeof received === 'string' && expected instanceof RegExp ? expected.test(received) : undefined,
]);
