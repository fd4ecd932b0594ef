import { expect, test } from '@jest/globals';
import { parseFileConfig } from '../../src/config/file-config.ts';
import { COMPANIES } from '../../src/gateway/portone/declines/companies.ts';

test.each([
  [
    { declines: { nice: { codes: { '2116': 'fund' } } } },
    "declines.nice.codes.2116 is 'fund': use one of funds, card, key, time, verify, fraud, config, other; did you mean funds?",
  ],
  [{ declines: { any: { texts: { 한도초과: 1 } } } }, 'declines.any.texts.한도초과 is 1: use one of funds, card,'],
  [
    { declines: { kakopay: {} } },
    "declines.kakopay: write a pg_provider of PortOne V1's, or any for all of them; did you mean kakaopay?",
  ],
  [{ declines: { 'nice.MID': {} } }, 'declines["nice.MID"]: write a pg_provider'],
  [{ declines: { constructor: {} } }, 'declines.constructor: write a pg_provider'],
  [{ declines: { nice: { code: {} } } }, 'declines.nice.code is not a setting; did you mean codes?'],
  [{ declines: { nice: { '2116': 'card' } } }, 'declines.nice.2116 is not a setting'],
  [{ declines: { nice: { codes: { '[2116]': 'card' } } } }, 'declines.nice.codes["[2116]"]: write the code alone'],
  [
    { declines: { nice: { codes: { f112: 'card' } } } },
    'declines.nice.codes.f112: write the code alone, up to 40 capital',
  ],
  [{ declines: { any: { texts: { ' ': 'card' } } } }, 'declines.any.texts[" "]: write a part of the text, 2 to 100'],
  [{ declines: { any: { texts: { 가: 'card' } } } }, 'declines.any.texts.가: write a part of the text'],
  [{ declines: { any: { texts: { ['가'.repeat(101)]: 'card' } } } }, 'write a part of the text'],
  [{ declines: { any: null } }, 'declines.any is null: write an object'],
  [{ declines: [] }, 'declines is a list: write an object'],
])('a line that cannot be meant is named with its path: %j', (raw, expected) => {
  expect(() => parseFileConfig(raw)).toThrow(expected);
});

test('every company with a table of declines can be given lines', () => {
  for (const provider of [...COMPANIES.keys(), 'settle', 'ksnet', 'kicc', 'smartro_v2', 'any']) {
    const lines = parseFileConfig({ declines: { [provider]: {} } }).declines[provider];
    expect(lines).toEqual({ codes: {}, texts: {} });
  }
});

test('every code of a table can be overridden', () => {
  for (const codes of COMPANIES.values()) {
    const any = { codes: Object.fromEntries([...codes].map(([code, said]) => [code, said.class])) };
    expect(parseFileConfig({ declines: { any } }).declines.any?.codes).toEqual(any.codes);
  }
});
