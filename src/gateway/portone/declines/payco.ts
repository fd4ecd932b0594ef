import { table } from './table.ts';

/**
 * PAYCO (fact sheet §9, code prefixes, and §9.2). Source: the lines "PAYCO 오류" of `inicis-code.xlsx` on PortOne's page
 * of error codes, undated, without the `04` that KG Inicis puts before them: they are NHN KCP's codes, whose company
 * PAYCO is. 8484 is the only one that §9 spells out.
 */
export const PAYCO = table({
  funds: 'CC10 CC61',
  card: '8484 CC01 CC04 CC14 CC39 CC44 CC45 CC54 QP64',
  verify: 'CC98',
  config: '8487 CC33 CC47 CC67',
});
