import { DECLINE_CLASSES, type DeclineClass } from '../../billing/charge.ts';

/**
 * The class of a payment company's code (tables of fact sheet §9); undefined when it is not known. Codes with letters
 * mean one thing everywhere; bare numbers are read in the table of the company behind `provider` (`pg_provider`), and
 * in NICE's when `provider` is null, because only NICE was ever seen to put them in brackets.
 */
export function classOfCode(code: string, provider: string | null): DeclineClass | undefined {
  return ANYWHERE.get(code) ?? NUMBERS.get(provider ?? 'nice')?.get(code);
}

/** Codes parted by spaces; `8041..8044` is every number from the first to the second. */
function table(codes: Partial<Record<DeclineClass, string>>): ReadonlyMap<string, DeclineClass> {
  const map = new Map<string, DeclineClass>();
  for (const name of DECLINE_CLASSES) {
    for (const [word] of (codes[name] ?? '').matchAll(/\S+/g)) {
      for (const code of expand(word)) map.set(code, name);
    }
  }
  return map;
}

function expand(word: string): string[] {
  const [first = '', last] = word.split('..');
  if (last === undefined) return [first];
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => String(Number(first) + index));
}

/** NICE's and KCP's lettered codes, INICIS's mixed ones, Toss's and Kakao's words. */
const ANYWHERE = table({
  funds: `CC61 CC07 CC08 CC10 CC65 12G6 12GI 12GT 12K9 12FY 12GG EXCEED_MAX_PAYMENT_AMOUNT REJECT_ACCOUNT_PAYMENT
    REJECT_CARD_PAYMENT EXCEED_MAX_DAILY_PAYMENT_COUNT LIMIT_USE_PER_DAY LACK_BALANCE NOT_ENOUGH_BALANCE`,
  card: `F112 F113 CC54 CC55 CC04 CC43 CC45 CC44 CC39 CC46 CC01 CC03 CC14 CC63 CC69 CC66 CC84 CC64 CC42 12B2 12IS 12FX
    12FU 12FV 12FW INVALID_CARD_EXPIRATION INVALID_CARD_LOST_OR_STOLEN INVALID_STOPPED_CARD INVALID_REJECT_CARD
    REJECT_CARD_COMPANY EXCEED_MAX_AUTH_COUNT`,
  key: 'F110 F201 A124 A125 A126 A223 INVALID_BILL_KEY_REQUEST NOT_MATCHES_CUSTOMER_KEY INVALID_PAYMENT_KEY',
  time: 'CCC0 CC75 A246 1200B9 12E8 12E4 NOT_AVAILABLE_PAYMENT BANK_FIRM_UNAVAILABLE',
  verify: `A299 A127 P015 CC72 CC98 CC99 12A8 1200BN PROVIDER_ERROR CARD_PROCESSING_ERROR BANK_FIRM_UNKNOWN USER_LOCKED
    FAILED_INTERNAL_SYSTEM_PROCESSING FAILED_CARD_COMPANY_RESPONSE DUPLICATED_ORDER_ID ALREADY_PROCESSED_PAYMENT`,
  fraud: '12FS FS01 M048',
  config: `F115 F116 F117 A113 A128 A224 P017 P037 V023 CC16 CC21 CC33 CC34 CC35 CC36 CC37 CC47 CC62 CC67 12F9 12GK 12GL
    12GM BELOW_MINIMUM_AMOUNT NOT_FOUND_TERMINAL_ID NETWORK_ACL_ERROR`,
});

const NICE = table({
  funds: '2116',
  card: '3011 3021 3051',
  time: '2159',
  verify: '2156 2201',
  config: '2151 2152 3024 3041 8901',
});

const KCP = table({
  card: '8130',
  time: '8390',
  verify: '8041..8044 8046 8094 8128 8171..8175 8338 8671 8996 8997',
  fraud: '8181 8182 8786',
  config: '8122..8124 8129 8135 8186..8189',
});

const INICIS = table({
  funds: '120049 500644 1215 1216 1239 1254',
  card: '500638 1201 1203 1204 1214 1219 1221 1223 1226 1232 1251 1252',
  key: '1141 550929 550997',
  verify: '500619 550055 550619 550631 1235 1236 1240..1246',
  config: '1207 1208 1229 500400 550433 550645..550648 550786',
});

const DANAL = table({
  funds: '1133 1135 3111 3112 3133 3242',
  card: '1150 1151 3100 3110 3115 3117 3119 3122 3123 3128 3131 3143 3146 3223 3253 3281',
  key: '1121',
  time: '3160 3266 3267 3269',
  verify: '1103 1125 1156 3006 3106 3199 3268',
  config: '1106 1107 1110 1114 1131 1137..1141 3104 3105 3125 3213 3214',
});

const KAKAO = table({
  funds: '-752 8323 8325 8326 8521 8546',
  card: '0001 0003 0004 0026 0032 2028 8019',
  key: '-750 -751',
  time: '0299 8246..8258 8545',
  verify: '-702 -785 0010',
  fraud: '5010',
  config: '-798',
});

const NUMBERS: ReadonlyMap<string, ReadonlyMap<string, DeclineClass>> = new Map([
  ['nice', NICE],
  ['nice_v2', NICE],
  ['kcp', KCP],
  ['kcp_billing', KCP],
  ['inicis', INICIS],
  ['html5_inicis', INICIS],
  ['danal', DANAL],
  ['danal_tpay', DANAL],
  ['kakaopay', KAKAO],
]);
