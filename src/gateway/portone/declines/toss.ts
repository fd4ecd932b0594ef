import { joined, table } from './table.ts';

/**
 * Names of Toss Payments' API (fact sheet §9, TOSS-API). Source: the error codes on docs.tosspayments.com, and public
 * code that lists them.
 */
const NAMES = table({
  funds: 'EXCEED_MAX_DAILY_PAYMENT_COUNT EXCEED_MAX_PAYMENT_AMOUNT REJECT_ACCOUNT_PAYMENT REJECT_CARD_PAYMENT',
  card: `EXCEED_MAX_AUTH_COUNT INVALID_CARD_EXPIRATION INVALID_CARD_LOST_OR_STOLEN INVALID_REJECT_CARD
    INVALID_STOPPED_CARD REJECT_CARD_COMPANY`,
  key: 'INVALID_BILL_KEY_REQUEST NOT_MATCHES_CUSTOMER_KEY',
  time: 'NOT_AVAILABLE_PAYMENT',
  verify: `ALREADY_PROCESSED_PAYMENT CARD_PROCESSING_ERROR DUPLICATED_ORDER_ID FAILED_CARD_COMPANY_RESPONSE
    FAILED_INTERNAL_SYSTEM_PROCESSING PROVIDER_ERROR`,
  config: 'BELOW_MINIMUM_AMOUNT NOT_FOUND_TERMINAL_ID',
  blockedToday: 'EXCEED_MAX_DAILY_PAYMENT_COUNT',
});

/**
 * Older codes (fact sheet §9, Toss). Source: `tosspayments-code.xlsx` on PortOne's page of error codes, undated, which
 * shows numbers without leading zeros.
 */
const OLDER = table({
  funds: '2 15 16 A8 B1 B5 B6',
  card: '4 14 19 21 23 26 27 32 36..38 51 52 70..99 209 6701 8559 9141 A1 A2 A7 A9 B0 C001 C1 C4',
  key: 'C085',
  time: '53 299',
  verify: '10 110 504 3001 A016 C012 C045 C088 S021',
  fraud: 'FS01 M048',
  config: '5 6 7 8 11 12 48 C013 C031 C058 J012 M003 M015',
  blockedToday: '15 B1',
});

/** Toss Payments. */
export const TOSS = joined(NAMES, OLDER);
