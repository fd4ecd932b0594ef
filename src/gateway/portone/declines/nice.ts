import { table } from './table.ts';

/**
 * NICE, old and new module (fact sheet §9.1–9.10). Source: `common/code.md` of github.com/nicepayments/nicepay-manual,
 * 2025-07-21. 2116, 8901 and the second reading of F113, a wrong card number, are not in it: they were seen in answers.
 * The lines of its newer API, U112 to U315, say the same as older ones.
 */
export const NICE = table({
  funds: '2116',
  card: '3011 3021 3051 F112 F113',
  key: 'A124 A125 A126 A223 F110 F201 U115 U309',
  time: '2159 A246',
  verify: '2156 2201 A127 A299 P015 U112 U303',
  config: '2151 2152 3024 3041 8901 A113 A128 A224 F115 F116 F117 P017 P037 U315',
});
