import type { Decline, DeclineClass } from '../../billing/charge.ts';
import { meaningOfCode } from './declines/companies.ts';
import { classByLines, type DeclineLines, withoutSpaces } from './declines/lines.ts';
import { type Meaning, meaning } from './declines/table.ts';
import { plainText } from './text.ts';

/**
 * A refusal from the payment company's own words: by the merchant's `lines`, else by its code where a table knows that,
 * else by sentences, else by keywords (fact sheet §9; §9.11 for the order of the keywords). `provider` is PortOne's
 * `pg_provider`, null when the answer does not say. A line of the merchant's gives the class, and no more: that a card is
 * blocked for today is the company's to say.
 */
export function declineOf(text: string | null, provider: string | null, lines: DeclineLines): Decline {
  const reason = plainText(text ?? '');
  const words = { codes: codesIn(reason), text: withoutSpaces(reason) };
  const ours = classByLines(words, provider, lines);
  const said = byCode(words.codes, provider) ?? byWords(words.text);
  return { ...said, ...(ours === undefined ? {} : { class: ours }), reason };
}

/** Whether a refusal says that this `merchant_uid` was used before: the money may be there, so look it up. */
export function isDuplicateRefusal(message: string): boolean {
  return DUPLICATE.test(withoutSpaces(plainText(message)));
}

function codesIn(reason: string): string[] {
  return Array.from(reason.matchAll(CODE), ([, bracketed, number, word]) => bracketed ?? number ?? word ?? '');
}

function byCode(codes: readonly string[], provider: string | null): Meaning | undefined {
  return codes.map((code) => meaningOfCode(code, provider)).find((known) => known !== undefined);
}

function byWords(text: string): Meaning {
  const name = bySentence(text) ?? byKeyword(text);
  return meaning(name, OVER_TOMORROW.test(text) || DAILY_COUNT.test(text));
}

function bySentence(text: string): DeclineClass | undefined {
  return SENTENCES.find(([pattern]) => pattern.test(text))?.[1];
}

function byKeyword(text: string): DeclineClass {
  // "Not usable today" (`당일 이용불가`) is no word against the card, "a stolen card, not possible today" is one.
  const rest = text.replaceAll(new RegExp(OVER_TOMORROW, 'gu'), ' ');
  return KEYWORDS.find(([pattern]) => pattern.test(pattern === OVER_TOMORROW ? text : rest))?.[1] ?? 'other';
}

/** `[F112]`, `[코드: V023]`; `error_code 1114`; `REJECT_CARD_PAYMENT`. */
const CODE = /\[(?:코드\s*:\s*)?([A-Z0-9_-]{1,40})\]|error_code\s*:?\s*(\d{1,6})|([A-Z]{3,20}(?:_[A-Z]{2,20}){1,5})/gu;

const DUPLICATE =
  /이미주문이이루어진|이미결제가이루어진|merchant_uid로결제|주문번호중복|중복된주문번호|이미사용된주문번호|중복거래|이중거래|중복결제|기승인존재|ALREADY_PROCESSED_PAYMENT|DUPLICATED_ORDER_ID/u;

/** "Not possible today", "try again the next day" (§9.7, §9.8). */
const OVER_TOMORROW = /당일[가-힣]{0,6}불가|익일[가-힣]{0,4}(시도|이용|결제|거래)/u;

/** How often a card is used a day, and not how much is taken from it (§9.1). */
const DAILY_COUNT = /(1일|일일|하루)[가-힣]{0,8}횟수[가-힣]{0,2}초과/u;

/** PortOne's own sentences (§2.4), and those of companies, that the keywords would read wrongly or not at all. */
const SENTENCES: readonly (readonly [RegExp, DeclineClass])[] = [
  [DUPLICATE, 'verify'],
  [/기취소거래/u, 'verify'],
  [/MaintenanceOngoing/u, 'time'],
  [/등록된정보를찾을수없습니다|등록된고객정보가없습니다/u, 'key'],
  [/파라메터가누락|지정해주셔야합니다|지원되지않는상태값/u, 'config'],
  [/(결제정보|결제건|예약결제기록|인증결과)(이|가)존재하지않습니다|존재하지않는결제정보/u, 'other'],
];

const KEYWORDS: readonly (readonly [RegExp, DeclineClass])[] = [
  [/merchant_uid로결제|주문번호중복|중복된주문번호|중복거래|이중거래|중복결제/u, 'verify'],
  [/가맹점|상점|업체|사이트|쇼핑몰|계약|단말기|사업자번호|MID|할부/u, 'config'],
  [/빌키|빌링|결제키|SID|BID|등록되지않은구매자|등록되지않은사용자/u, 'key'],
  [/점검|작업중|마감|30분/u, 'time'],
  [/타임아웃|TIME-?OUT|통신오류|통신장애|지연|장애|처리중|진행중|일시적/u, 'verify'],
  [/부정|도용|이상금융|블랙|위험거래/u, 'fraud'],
  [/분실|도난|정지|해지|탈회|연체|미등록카드|최종카드|이용불가|사용불가|차단|미납/u, 'card'],
  [/유효기간|카드번호/u, 'card'],
  [OVER_TOMORROW, 'time'],
  [/한도|잔액|횟수/u, 'funds'],
  [/비밀번호|주민|생년월일|CVC|인증/u, 'card'],
];
