import { table } from './table.ts';

/**
 * Danal for cards (fact sheet §9.1–9.10, §9.12). Source: `danal_code.xls` on PortOne's page of error codes, sheet
 * "다날페이카드", 2019-11-01.
 */
export const DANAL_CARD = table({
  funds: '1133..1135 3111 3112 3133 3233 3242',
  card: '1150 1151 3100 3110 3115 3117 3119 3122 3123 3128 3131 3143 3146 3223 3253 3281',
  key: '1121',
  time: '3160 3266 3267 3269',
  verify: '1103 1125 1156 3006 3106 3199 3268',
  config: '1106 1107 1110 1114 1131 1137..1141 3104 3105 3125 3213 3214',
  blockedToday: '1134 3111 3233',
});

/**
 * Danal for phone bills (fact sheet §9.1, §9.3–9.7, §9.9, §9.10). Source: the same file, sheet "휴대폰결제", 2020-06-26. 523
 * and 524: a month was skipped, or something changed since the last one, which ends the registration (§8.3).
 */
export const DANAL_PHONE = table({
  funds: '410 415 468',
  card: '412 414 419 422 454 476 531',
  key: '523 524',
  time: '103 210 213',
  verify: '420 452 472',
  fraud: '50 55 432 436 601..607',
  config: '47 547',
});
