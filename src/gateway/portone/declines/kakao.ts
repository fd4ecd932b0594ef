import { table } from './table.ts';

/**
 * KakaoPay (fact sheet §9.1–9.10): four-digit answers of card companies, negative codes of its API, words for Kakao
 * money. Source: `kakao-code-20180820.xlsx` on PortOne's page of error codes, 2018-08-20.
 */
export const KAKAO = table({
  funds: '-752 8323 8325 8326 8521 8546 LACK_BALANCE LIMIT_USE_PER_DAY NOT_ENOUGH_BALANCE',
  card: '0001 0003 0004 0026 0032 2028 8019',
  key: '-750 -751 INVALID_PAYMENT_KEY',
  time: '0299 8246..8258 8545 BANK_FIRM_UNAVAILABLE',
  verify: '-702 -785 0010 BANK_FIRM_UNKNOWN USER_LOCKED',
  fraud: '5010',
  config: '-798 NETWORK_ACL_ERROR',
});
