import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DECLINE_CLASSES, type DeclineClass } from '../../../src/billing/charge.ts';
import { declineOf, isDuplicateRefusal } from '../../../src/gateway/portone/decline-codes.ts';
import { NO_LINES } from '../../../src/gateway/portone/declines/lines.ts';
import { DUPLICATE } from '../fake-books.ts';

test.each<[DeclineClass, string]>([
  ['config', 'imp_key, imp_secret 파라메터가 누락되었습니다.'],
  ['key', '등록되지 않은 구매자입니다.'],
  ['key', '등록되지 않은 사용자입니다.'],
  ['verify', DUPLICATE],
  ['verify', '이미 결제가 이루어진 거래건입니다.'],
  ['card', '카드정보 인증에 실패하였습니다. [F112]유효하지않은 카드번호를 입력하셨습니다. (card_bin 없음)'],
  ['card', '카드정보 인증에 실패하였습니다. [F113]거래거절 카드번호틀림'],
  ['funds', '결제승인에 실패하였습니다. [2116]개인 월 한도금액 초과'],
  [
    'card',
    '카드정보 인증 및 빌키 발급에 실패하였습니다. [F112]유효하지않은 카드번호를 입력하셨습니다. (card_bin 없음)',
  ],
  ['key', '요청하신 customer_uid(card-1)로 등록된 정보를 찾을 수 없습니다.'],
  ['key', '등록된 고객정보가 없습니다.'],
  ['other', '취소할 예약결제 기록이 존재하지 않습니다.'],
  ['other', '존재하지 않는 결제정보입니다.'],
  ['config', '지원되지 않는 상태값입니다.'],
  ['other', '사전등록된 결제정보가 존재하지 않습니다.'],
  ['other', '취소할 결제건이 존재하지 않습니다.'],
  ['config', 'imp_uid, merchant_uid 중 하나는 반드시 지정해주셔야합니다.'],
  ['verify', '기 취소 거래'],
  ['other', '인증결과가 존재하지 않습니다.'],
  ['config', '가상계좌 계약이 필요합니다.'],
])("PortOne's own sentence, %s: %s", (expected, text) => {
  expect(declineOf(text, null, NO_LINES).class).toBe(expected);
});

test.each<[DeclineClass, string, string | null]>([
  ['config', '결제에 실패하였습니다. [8901]미등록PG업체', 'nice'],
  [
    'config',
    'F0004:PG사 결제요청에 실패하여 중단합니다.(imp_1) [코드: V023] 파라미터의 데이터 설정이 잘못되었습니다',
    'html5_inicis',
  ],
  ['time', '[2159]해당은행장애', 'nice_v2'],
  ['verify', '[8043] 시스템 타임아웃(잠시후 재시도바람)', 'kcp'],
  ['time', '[CC69] 인증오류 3회초과', null],
  ['config', '[CC67] 사업자번호 오류(인증)', 'kcp'],
  ['funds', 'REJECT_CARD_PAYMENT: 한도초과 혹은 잔액부족', 'tosspayments'],
  ['verify', 'ALREADY_PROCESSED_PAYMENT', 'tosspayments'],
  ['config', 'error_code 1114 암/복호화에 실패했습니다', 'danal'],
  ['key', '[-750] SID가 존재하지 않는 경우', 'kakaopay'],
  ['time', '[8250] 은행 체크 시스템(정기)점검시간', 'kakaopay'],
  ['funds', '[1216] 월 사용한도 초과', 'inicis'],
  ['time', 'MaintenanceOngoing', 'naverpay'],
])('a code of the company, %s: %s (%s)', (expected, text, provider) => {
  expect(declineOf(text, provider, NO_LINES).class).toBe(expected);
});

test('a number means what its own company says', () => {
  expect(declineOf('[8130]', 'kcp', NO_LINES).class).toBe('card');
  expect(declineOf('[8130]', 'nice', NO_LINES).class).toBe('other');
  expect(declineOf('[2116]', 'constructor', NO_LINES).class).toBe('other');
});

test.each<[DeclineClass, string]>([
  ['verify', '가맹점 주문번호 중복 거래 요청'],
  ['config', '가맹점 한도초과'],
  ['config', '거래정지 가맹점'],
  ['config', '할부개월 오류'],
  ['key', '이미 삭제된 빌키이거나 존재하지 않은 빌키입니다'],
  ['time', '카드사 시스템 점검 중입니다.(점검시간 이후에 다시 시도해주세요.)'],
  ['time', '체크카드 승인이 불가합니다. (30분 후 거래요망)'],
  ['verify', '카드사 TIMEOUT'],
  ['verify', '통신오류, 잠시후 재시도 요망'],
  ['verify', '(PG사 결제 장애) Internal error'],
  ['fraud', '이상금융거래로 탐지되어 고객님의 거래가 거절되었습니다'],
  ['fraud', '신용카드 부정사용 의심거래 거절'],
  ['card', '도난, 분실카드'],
  ['card', '정지 카드'],
  ['card', '유효기간 만료(기간오류)'],
  ['funds', '통장 잔액 부족'],
  ['funds', '1 일 사 용 횟 수 초과'],
  ['card', '비밀번호 오류'],
  ['other', '알 수 없는 오류'],
  ['other', ''],
])('without a code the words decide, %s: %s', (expected, text) => {
  expect(declineOf(text, 'someone', NO_LINES).class).toBe(expected);
});

test('a decline without words has a class all the same', () => {
  expect(declineOf(null, null, NO_LINES)).toEqual({ class: 'other', reason: '' });
});

test.each([
  [true, DUPLICATE],
  [true, '이미주문이 이루어진건입니다.'],
  [true, '중복된 주문번호입니다'],
  [true, '[2156]중복등록된거래요청'.replace('등록된', '')],
  [false, '등록되지 않은 구매자입니다.'],
  [false, '결제승인에 실패하였습니다. [2116]개인 월 한도금액 초과'],
  [false, ''],
])('that an id was used before is %s of: %s', (expected, message) => {
  expect(isDuplicateRefusal(message)).toBe(expected);
});

test('any text gets a class and a reason of one line, at most 300 characters, without a card number', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), fc.option(fc.string()), (text, provider) => {
      const decline = declineOf(`${text}4111 1111-1111 1111${text}`, provider, NO_LINES);
      expect(DECLINE_CLASSES).toContain(decline.class);
      expect(decline.reason.length).toBeLessThanOrEqual(600); // 300 characters of two units each at most
      expect(Array.from(decline.reason).length).toBeLessThanOrEqual(300);
      expect(decline.reason).not.toMatch(/\p{Cc}|1111/u);
    }),
  );
});

test('a text made to be slow is read at once', () => {
  const hostile = ['[코드:'.repeat(20_000), 'A_'.repeat(50_000), '1 '.repeat(50_000), ' '.repeat(100_000)];
  for (const text of hostile) expect(declineOf(text, null, NO_LINES).reason.length).toBeLessThanOrEqual(300);
});
