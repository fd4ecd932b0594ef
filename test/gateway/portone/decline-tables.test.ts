import { describe, expect, test } from '@jest/globals';
import { DECLINE_CLASSES, type DeclineClass } from '../../../src/billing/charge.ts';
import { declineOf } from '../../../src/gateway/portone/decline-codes.ts';
import { COMPANIES, meaningOfCode } from '../../../src/gateway/portone/declines/companies.ts';
import { NO_LINES } from '../../../src/gateway/portone/declines/lines.ts';
import { joined, table } from '../../../src/gateway/portone/declines/table.ts';
import { LISTS } from './decline-lists.ts';

describe.each(Object.entries(LISTS))('%s', (provider, lines) => {
  test.each(lines)('%s: [%s]%s', (expected, code, words) => {
    expect(declineOf(`[${code}]${words}`, provider, NO_LINES).class).toBe(expected);
    expect(declineOf(`결제에 실패하였습니다. [코드: ${code}] ${words}`, provider, NO_LINES).class).toBe(expected);
  });

  test('the code decides, whatever the words say', () => {
    for (const [expected, code] of lines) {
      expect(declineOf(`[${code}] 가맹점 점검`, provider, NO_LINES).class).toBe(expected);
    }
  });
});

test.each<[DeclineClass, string, string]>([
  ['funds', 'REJECT_CARD_PAYMENT', '한도초과 혹은 잔액부족으로 결제에 실패했습니다.'],
  ['funds', 'EXCEED_MAX_DAILY_PAYMENT_COUNT', '하루 결제 가능 횟수를 초과했습니다.'],
  ['card', 'INVALID_CARD_LOST_OR_STOLEN', '분실 혹은 도난 카드입니다.'],
  ['card', 'REJECT_CARD_COMPANY', '결제 승인이 거절되었습니다.'],
  ['key', 'INVALID_BILL_KEY_REQUEST', '빌키 인증이 완료되지 않았거나 유효하지 않은 빌키 거래 건입니다.'],
  ['key', 'NOT_MATCHES_CUSTOMER_KEY', '빌링 인증 고객키와 결제 요청 고객키가 일치하지 않습니다.'],
  ['time', 'NOT_AVAILABLE_PAYMENT', '결제가 불가능한 시간대입니다'],
  ['verify', 'PROVIDER_ERROR', '일시적인 오류가 발생했습니다. 잠시 후 다시 시도해주세요.'],
  ['verify', 'DUPLICATED_ORDER_ID', '이미 승인 및 취소가 진행된 중복된 주문번호 입니다.'],
  ['config', 'BELOW_MINIMUM_AMOUNT', '신용카드는 결제금액이 100원 이상, 계좌는 200원이상부터 결제가 가능합니다.'],
  ['funds', 'LACK_BALANCE', '계좌 잔액이 부족합니다.'],
  ['funds', 'LIMIT_USE_PER_DAY', '일일 결제한도 초과입니다.'],
  ['key', 'INVALID_PAYMENT_KEY', '결제키 검증에 실패했습니다. 등록되지 않았거나 이미 만료된 결제키 입니다.'],
  ['time', 'BANK_FIRM_UNAVAILABLE', '은행 점검 중입니다. 잠시 후 다시 이용해 주세요.(점검시간 : 23:30 ~ 00:35)'],
  ['verify', 'BANK_FIRM_UNKNOWN', '은행과 진행중인 거래건이 존재합니다. 잠시 후(약 20분)에 다시 시도해주세요.'],
  ['verify', 'USER_LOCKED', '진행중인 거래가 있습니다. 잠시 후 다시 시도해 주세요.'],
  ['config', 'NETWORK_ACL_ERROR', '허가되지 않은 접근입니다.'],
])('a name means one thing, whoever sends it: %s, %s', (expected, name, words) => {
  for (const provider of ['tosspayments', 'kakaopay', 'html5_inicis', 'smartro_v2', null]) {
    expect(declineOf(`${name}: ${words}`, provider, NO_LINES).class).toBe(expected);
  }
});

describe.each(['settle', 'settle_acc', 'ksnet', 'kicc'])('%s publishes no list', (provider) => {
  test.each<[DeclineClass, string]>([
    ['funds', '[2116] 한도초과'],
    ['card', '[CC61] 유효기간 만료'],
    ['config', '[1201] 가맹점 한도초과'],
    ['other', '[3112]'],
    ['other', '[CC61]'],
    ['other', '[F112]'],
  ])('so that its words decide and no code of another company: %s of %s', (expected, text) => {
    expect(declineOf(text, provider, NO_LINES).class).toBe(expected);
  });
});

test('two modules of one company read alike', () => {
  for (const [one, other] of [
    ['nice', 'nice_v2'],
    ['kcp', 'kcp_billing'],
    ['inicis', 'html5_inicis'],
  ] as const) {
    expect(COMPANIES.get(one)).toBe(COMPANIES.get(other));
  }
});

test('an answer that names no company is read by codes with letters, which mean one thing, and by the numbers of NICE', () => {
  expect(meaningOfCode('CC61', null)?.class).toBe('funds');
  expect(meaningOfCode('FS01', null)?.class).toBe('fraud');
  expect(meaningOfCode('2116', null)?.class).toBe('funds');
  expect(meaningOfCode('8484', null)).toBeUndefined();
  expect(meaningOfCode('16', null)).toBeUndefined();
  const lettered = [...COMPANIES.values()].flatMap((codes) => [...codes]).filter(([code]) => /[A-Z]/.test(code));
  for (const [code, said] of lettered) expect([code, meaningOfCode(code, null)]).toEqual([code, said]);
});

test('every table knows something, speaks in the classes of the policies and in codes that an answer can hold', () => {
  for (const [provider, codes] of COMPANIES) {
    expect(codes.size).toBeGreaterThan(10);
    for (const [code, { class: name }] of codes) {
      expect(DECLINE_CLASSES).toContain(name);
      expect(name).not.toBe('other');
      expect(declineOf(`[${code}]`, provider, NO_LINES).class).toBe(name);
    }
  }
});

test('no code stands twice in a table', () => {
  expect([...table({ card: '8041..8043', key: 'A1' }).keys()]).toEqual(['8041', '8042', '8043', 'A1']);
  expect(() => table({ card: 'A1', blockedToday: 'A2' })).toThrow(/A2 is blocked today, but in no class/);
  expect(() => table({ card: 'A1', key: 'B1 A1' })).toThrow(/A1 stands twice/);
  expect(() => table({ card: '8041 8040..8042' })).toThrow(/8041 stands twice/);
  expect(() => joined(table({ card: 'A1' }), table({ card: 'A1' }))).toThrow(/A1 stands twice/);
});
