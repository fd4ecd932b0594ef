import { PAYCO } from './payco.ts';
import { type DeclineTable, joined, rewritten, table } from './table.ts';

/**
 * Answers of card companies (fact sheet §9.1–9.10). KG Inicis writes them with four characters or with six, 1204 or
 * 120004, and means the same.
 */
const OF_CARD_COMPANIES = table({
  funds: '1215 1216 1239 1249 1254 12FY 12G6 12GG 12GI 12GT 12K9',
  card: '1201 1203 1204 1214 1219 1221 1223 1226 1232 1251 1252 12B2 12FU 12FV 12FW 12FX 12IS',
  time: '12B9 12E4 12E8',
  verify: '1235 1236 1240..1246 12A8 12BN',
  fraud: '12FS',
  config: '1207 1208 1229 12F9 12GK 12GL 12GM',
  blockedToday: '1215 1239',
});

/** Its own checks (fact sheet §9). 1141 has four characters and no longer form; V023 was seen in answers only. */
const OWN = table({
  funds: '500644',
  card: '500638',
  key: '1141 550929 550997',
  verify: '500619 550055 550619 550631',
  config: '500400 550433 550645..550648 550786 V023',
  blockedToday: '550647',
});

/** Wallets behind it: KakaoPay under `06`, Toss under `07` (fact sheet §9; what is no line there is one of the list). */
const WALLETS = table({
  funds: '060752 068323 068325 068326 068521 068546 070012 070013',
  card: '068019',
  key: '060750 060751',
  time: '060299 068247 070020',
  verify: '060702 060785 070015 070016 070023',
  config: '060798',
});

/** KG Inicis, old and new module. Source: `inicis-code.xlsx` on PortOne's page of error codes, undated. */
export const INICIS: DeclineTable = joined(
  OWN,
  OF_CARD_COMPANIES,
  rewritten(OF_CARD_COMPANIES, (code) => code.replace(/^12/, '1200')),
  WALLETS,
  rewritten(PAYCO, (code) => `04${code}`),
);
