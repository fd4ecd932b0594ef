import { DANAL_CARD, DANAL_PHONE } from './danal.ts';
import { INICIS } from './inicis.ts';
import { KAKAO } from './kakao.ts';
import { KCP } from './kcp.ts';
import { MOBILIANS_PHONE } from './mobilians.ts';
import { NICE } from './nice.ts';
import { PAYCO } from './payco.ts';
import { type DeclineTable, joined, type Meaning, readCode } from './table.ts';
import { TOSS } from './toss.ts';

/**
 * The tables by `pg_provider`. Hecto (`settle`, `settle_acc`), KSNET (`ksnet`) and KICC (`kicc`) have none: no list of
 * theirs is public (fact sheet §9), so that their words decide. Danal's phone and card codes are of different lengths,
 * and both have been called `danal`.
 */
export const COMPANIES: ReadonlyMap<string, DeclineTable> = new Map([
  ['nice', NICE],
  ['nice_v2', NICE],
  ['kcp', KCP],
  ['kcp_billing', KCP],
  ['inicis', INICIS],
  ['html5_inicis', INICIS],
  ['tosspayments', TOSS],
  ['danal', joined(DANAL_PHONE, DANAL_CARD)],
  ['danal_tpay', DANAL_CARD],
  ['kakaopay', KAKAO],
  ['payco', PAYCO],
  ['mobilians', MOBILIANS_PHONE],
]);

/**
 * What a company's code means; undefined when it is not known. A code is read in the table of the company behind
 * `provider` (`pg_provider`); names such as `LACK_BALANCE` mean one thing everywhere. Where `provider` is null, codes
 * with letters count, which no two companies read differently, and numbers of NICE, which alone was seen to bracket them.
 */
export function meaningOfCode(code: string, provider: string | null): Meaning | undefined {
  if (provider === null) return LETTERED.get(code) ?? NICE.get(code);
  const own = COMPANIES.get(provider);
  return own === undefined ? NAMES.get(code) : (readCode(code, own) ?? NAMES.get(code));
}

function codesOfAll(areMeant: RegExp): DeclineTable {
  return new Map([...COMPANIES.values()].flatMap((codes) => [...codes]).filter(([code]) => areMeant.test(code)));
}

const LETTERED = codesOfAll(/[A-Z]/);
const NAMES = codesOfAll(/_/);
