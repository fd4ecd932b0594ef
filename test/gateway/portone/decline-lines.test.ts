import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DECLINE_CLASSES, type DeclineClass } from '../../../src/billing/charge.ts';
import type { Gateway } from '../../../src/gateway/gateway.ts';
import { createPortOne } from '../../../src/gateway/portone/client.ts';
import { declineOf, isDuplicateRefusal } from '../../../src/gateway/portone/decline-codes.ts';
import { COMPANIES } from '../../../src/gateway/portone/declines/companies.ts';
import { type CompanyLines, type DeclineLines, NO_LINES } from '../../../src/gateway/portone/declines/lines.ts';
import { ALWAYS, chargeRequest, uidOf } from '../charges.ts';
import { DUPLICATE } from '../fake-books.ts';
import * as fake from '../fake-portone.ts';
import { handClock } from '../hand-clock.ts';

const company = (lines: Partial<CompanyLines>): CompanyLines => ({ codes: {}, texts: {}, ...lines });
const LIMIT = '[2116]개인 월 한도금액 초과';

describe("the merchant's lines go before the tables", () => {
  test.each<[DeclineClass, string, string | null]>([
    ['card', LIMIT, 'nice'],
    ['funds', LIMIT, 'nice_v2'],
    ['key', '[XY77] 알 수 없는 오류', 'nice'],
    ['fraud', '[XY77] 알 수 없는 오류', 'smartro_v2'],
    ['time', '[0042]', 'kicc'],
    ['funds', '카드사 확인 요망 (1588-0000)', 'ksnet'],
    ['other', '카드사 확인 요망 (1588-0000)', 'kicc'],
    ['time', '서비스 이용시간이 아닙니다', 'kicc'],
    ['config', '서비스이용 시간이 아닙니다. 내일 다시', 'ksnet'],
    ['time', '서비스 이용시간이 아닙니다', null],
    ['funds', LIMIT, null],
    ['verify', 'ALREADY_PROCESSED_PAYMENT', 'tosspayments'],
    ['other', '알 수 없는 오류', 'constructor'],
    ['other', '알 수 없는 오류', '__proto__'],
  ])('%s: %s (%s)', (expected, text, provider) => {
    const lines = {
      nice: company({ codes: { '2116': 'card', XY77: 'key' } }),
      ksnet: company({ texts: { '카드사 확인요망': 'funds', '이용시간이 아닙니다. 내일': 'config' } }),
      any: company({ codes: { XY77: 'fraud', '42': 'time' }, texts: { '이용 시간이 아닙니다': 'time' } }),
    };
    expect(declineOf(text, provider, lines).class).toBe(expected);
  });
});

test.each<[DeclineClass, string, CompanyLines]>([
  ['card', '[AB1] 한도초과', company({ codes: { AB1: 'card' }, texts: { 한도초과: 'time' } })],
  ['key', '한도초과', company({ texts: { 한도: 'time', 한도초과: 'key' } })],
  ['key', '한도초과', company({ texts: { 한도초과: 'key', 한도: 'time' } })],
  ['card', '[AB2] [AB1]', company({ codes: { AB1: 'time', AB2: 'card' } })],
])(
  'codes go before texts, long texts before short ones, the first code before the next: %s of %s',
  (said, text, any) => {
    expect(declineOf(text, 'kicc', { any }).class).toBe(said);
  },
);

test('a line for a company goes before one for any, whichever of them is a code', () => {
  const lines = { kicc: company({ texts: { 한도: 'card' } }), any: company({ codes: { AB1: 'time' } }) };
  expect(declineOf('[AB1] 한도초과', 'kicc', lines).class).toBe('card');
  expect(declineOf('[AB1] 한도초과', 'ksnet', lines).class).toBe('time');
});

test('every shipped line can be overridden, for its company and for any', () => {
  for (const [provider, codes] of COMPANIES) {
    for (const [code, { class: name }] of codes) {
      const said = name === 'card' ? 'funds' : 'card';
      const lines = company({ codes: { [code]: said } });
      expect(declineOf(`[${code}]`, provider, { [provider]: lines }).class).toBe(said);
      expect(declineOf(`[${code}]`, provider, { any: lines }).class).toBe(said);
    }
  }
});

test('lines that do not fit change nothing, and no line hides that an id was used', () => {
  const said = fc.constantFrom(...DECLINE_CLASSES);
  const lines = fc.record({
    codes: fc.dictionary(fc.stringMatching(/^ZZ[0-9]{3}$/), said),
    texts: fc.dictionary(fc.stringMatching(/^☃{2,5}$/), said),
  });
  const texts = fc.constantFrom(LIMIT, DUPLICATE, '통장 잔액 부족', '[F112]', '알 수 없는 오류', '');
  fc.assert(
    fc.property(texts, lines, fc.constantFrom('nice', 'kicc', null), (text, any, provider) => {
      expect(declineOf(text, provider, { any, nice: any })).toEqual(declineOf(text, provider, NO_LINES));
    }),
  );
  expect(declineOf(DUPLICATE, null, { any: company({ texts: { 이미: 'funds' } }) }).class).toBe('funds');
  expect(isDuplicateRefusal(DUPLICATE)).toBe(true);
});

describe('a gateway that was given lines reads by them', () => {
  const UID = uidOf('sub-1');
  const failed = { status: 'failed', fail_reason: LIMIT };
  let server: fake.FakePortOne;
  let gateway: Gateway | undefined;
  beforeEach(async () => {
    server = await fake.startFakePortOne();
  });
  afterEach(async () => {
    await server.close();
    await gateway?.close();
  });

  const opened = async (lines: { readonly declines?: DeclineLines }): Promise<Gateway> => {
    const account = { baseUrl: server.url, key: 'imp_test', secret: 'top-secret' };
    gateway = createPortOne({ ...account, clock: handClock(), connections: 1, ...lines });
    await gateway.ready();
    return gateway;
  };

  test.each([
    ['key', { declines: { nice: company({ codes: { '2116': 'key' } }) } }],
    ['funds', {}],
  ] as const)('what was charged and what is looked up: %s by %j', async (expected, lines) => {
    server.on(fake.AGAIN, fake.answer(fake.paymentBody(UID, failed)));
    server.on('/payments/imps_', fake.answer(fake.paymentBody(UID, failed)));
    server.on('/payments/findAll/', fake.answer(fake.pageBody([fake.payment(UID, failed)], 1)));
    const { charge, payment, lookUp } = await opened(lines);
    const decline = { class: expected, reason: LIMIT };
    expect(await charge(chargeRequest(), 60_000, ALWAYS)).toMatchObject({ kind: 'declined', decline });
    expect(await payment('imps_123456789012')).toMatchObject({ record: { decline } });
    expect(await lookUp(UID)).toMatchObject({ records: [{ decline }] });
  });

  test('a refusal in place of a payment, by what holds for any', async () => {
    server.on(fake.AGAIN, fake.refuse(200, LIMIT));
    const { charge } = await opened({ declines: { any: company({ texts: { 한도금액: 'card' } }) } });
    expect(await charge(chargeRequest(), 60_000, ALWAYS)).toMatchObject({
      kind: 'refused',
      decline: { class: 'card' },
    });
  });
});
