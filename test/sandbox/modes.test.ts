import { expect, test } from '@jest/globals';
import { DEFAULT_MODES, parseModes } from '../../src/sandbox/modes.ts';

test('every mode can be set by its name, to its default at least', () => {
  const texts = Object.entries(DEFAULT_MODES).map(([name, value]) => `${name}=${value}`);
  expect(parseModes(texts)).toEqual(DEFAULT_MODES);
});

test('the last value of a mode counts', () => {
  expect(parseModes(['duplicateUid=accept', 'settleAfterMs=1', 'settleAfterMs=500', 'liveChannel=true'])).toEqual({
    duplicateUid: 'accept',
    settleAfterMs: 500,
    liveChannel: true,
  });
});

test.each([
  ['duplicates=accept', /'duplicates' is not a mode of the sandbox; use one of liveChannel, .*recoveryHour/],
  ['', /'' is not a mode/],
  [
    'duplicateUid=maybe',
    /duplicateUid cannot be 'maybe'; use one of refuse-paid-or-cancelled, refuse-any-used, accept/,
  ],
  ['concurrency', /concurrency cannot be ''; use one of serialise, both/],
  ['liveChannel=yes', /liveChannel cannot be 'yes'; use one of true, false/],
  ['unknownBuyerCode=0', /unknownBuyerCode cannot be '0'; use one of 1, -1/],
  ['settleAfterMs=-1', /settleAfterMs cannot be '-1'; use 0 to 31622400000/],
  ['recoveryHour=24', /recoveryHour cannot be '24'; use 0 to 23/],
  ['pgProvider=', /pgProvider cannot be ''; use a name/],
])('%s is refused, naming what is allowed', (text, message) => {
  expect(() => parseModes([text])).toThrow(message);
});
