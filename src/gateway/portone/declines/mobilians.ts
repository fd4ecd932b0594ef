import { table } from './table.ts';

/**
 * KG Financial, formerly KG Mobilians, for phone bills (fact sheet §9.1, §9.3, §9.4, §9.7, §9.9, §9.10). Source:
 * `MC_CODE_0016_20200715.pdf` on PortOne's page of error codes, 2020-07-15; 0056, the payer's limit at one shop, and
 * 0060, which says of a lapsed registration what Danal's 523 and 524 say, are lines of it that §9 leaves out. 0039, after
 * repeated failures, asks to be tried again the next day.
 */
export const MOBILIANS_PHONE = table({
  funds: '0031 0053 0056',
  card: '0013 0014 0016 0019 0024 0025 0036',
  key: '0047 0060',
  time: '0039',
  verify: '0051 0052',
  config: '0057 0058',
  blockedToday: '0039',
});
