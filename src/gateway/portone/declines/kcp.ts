import { table } from './table.ts';

/**
 * NHN KCP (fact sheet §9.1–9.10, §9.12). Source: `nhnkcp-code.xlsx` on PortOne's page of error codes, undated. 8046 to
 * 8048 say that somebody is under maintenance and are time-outs all the same. 8122 to 8124 and 8186 to 8189 are limits
 * of the merchant, not of the card. CC69, too many wrong passwords, is over tomorrow, and so no end of the card.
 */
export const KCP = table({
  funds: 'CC07 CC08 CC10 CC61 CC65',
  card: '8130 CC01 CC03 CC04 CC14 CC39 CC42 CC43 CC44 CC45 CC46 CC54 CC55 CC63 CC64 CC66 CC84',
  time: '8390 CC69 CC75 CCC0',
  verify: '8041..8044 8046..8048 8094 8128 8171..8175 8338 8671 8996 8997 CC72 CC98 CC99',
  fraud: '8181 8182 8786',
  config: '8001 8002 8122..8124 8129 8135 8186..8189 CC16 CC21 CC33 CC34 CC35 CC36 CC37 CC47 CC62 CC67',
  blockedToday: '8187 8189 CC65 CC69',
});
