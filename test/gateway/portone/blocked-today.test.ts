import { expect, test } from '@jest/globals';
import { declineOf } from '../../../src/gateway/portone/decline-codes.ts';
import { COMPANIES } from '../../../src/gateway/portone/declines/companies.ts';
import { NO_LINES } from '../../../src/gateway/portone/declines/lines.ts';

/** Fact sheet §9.12, and of §9.1 the row that says to try again the next day. */
const MARKED: Readonly<Record<string, readonly string[]>> = {
  kcp: ['8187', '8189', 'CC65', 'CC69'],
  inicis: ['120015', '120039', '1215', '1239', '550647'],
  danal: ['1134', '3111', '3233'],
  tosspayments: ['15', 'B1', 'EXCEED_MAX_DAILY_PAYMENT_COUNT'],
  mobilians: ['0039'],
  nice: [],
  kakaopay: [],
  payco: [],
};

test.each(Object.entries(MARKED))('the codes of %s that say so: %j', (provider, codes) => {
  const marked = [...(COMPANIES.get(provider) ?? [])].flatMap(([code, said]) => (said.blockedToday ? [code] : []));
  expect(marked.sort()).toEqual(codes);
  for (const code of codes) expect(declineOf(`[${code}]`, provider, NO_LINES).blockedToday).toBe(true);
});

test('a limit of the day on amounts, and a count of the month, do not say so', () => {
  for (const [code, provider] of [
    ['CC08', 'kcp'],
    ['8186', 'kcp'],
    ['1135', 'danal'],
    ['LIMIT_USE_PER_DAY', 'kakaopay'],
    ['-752', 'kakaopay'],
    ['0057', 'mobilians'],
  ] as const) {
    expect(declineOf(`[${code}]`, provider, NO_LINES)).not.toHaveProperty('blockedToday');
  }
});

test('what is over tomorrow bars no card for good', () => {
  const said = ({ class: name, blockedToday }: ReturnType<typeof declineOf>) => [name, blockedToday];
  const phone = '[0039]반복적인 실패로 당일 결제가 불가합니다. 익일 다시 시도 부탁드립니다.';
  expect(said(declineOf(phone, 'mobilians', NO_LINES))).toEqual(['time', true]);
  expect(said(declineOf('[CC69]인증오류 3회초과(당일거래 불가)', 'kcp', NO_LINES))).toEqual(['time', true]);
});

test.each([
  ['time', '인증오류 3회초과(당일거래 불가)', true],
  ['time', '반복적인 실패로 당일 결제가 불가합니다. 익일 다시 시도 부탁드립니다.', true],
  ['time', '익일에 재시도 바랍니다', true],
  ['time', '당일 이용불가', true],
  ['card', '도난카드 당일거래불가', true],
  ['fraud', '부정사용 의심 카드로 당일 거래 불가', true],
  ['card', '정지카드입니다. 익일 다시 거래 바랍니다', true],
  ['funds', '1일 사용횟수 초과', true],
  ['funds', '하루 결제 가능 횟수를 초과했습니다.', true],
  ['funds', '일일 결제한도 초과입니다.', undefined],
  ['funds', '사용횟수 초과', undefined],
  ['funds', '월 최대 사용 횟수를 초과한 경우', undefined],
  ['other', '당일 접수된 주문입니다', undefined],
] as const)('where no table knows its code, the words say it: %s of %s, %s', (name, text, expected) => {
  const decline = declineOf(text, 'ksnet', NO_LINES);
  expect([decline.class, decline.blockedToday]).toEqual([name, expected]);
});

test('a code that a table knows goes before its words', () => {
  expect(declineOf('[CC61] 당일거래 불가', 'kcp', NO_LINES)).not.toHaveProperty('blockedToday');
});

test("the merchant's line changes the class alone: today stays today", () => {
  const any = { codes: { CC65: 'card' as const }, texts: { 당일거래: 'fraud' as const } };
  expect(declineOf('[CC65]', 'kcp', { any })).toEqual({ class: 'card', reason: '[CC65]', blockedToday: true });
  expect(declineOf('당일거래 불가', 'ksnet', { any })).toMatchObject({ class: 'fraud', blockedToday: true });
});
