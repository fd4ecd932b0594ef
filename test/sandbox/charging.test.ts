import { expect, test } from '@jest/globals';
import { type ChargeAsk, charge } from '../../src/sandbox/charging.ts';
import type { Core } from '../../src/sandbox/core.ts';
import { Faults } from '../../src/sandbox/faults/faults.ts';
import { memoryLedger } from '../../src/sandbox/ledger.ts';
import { DEFAULT_MODES, type SandboxModes } from '../../src/sandbox/modes.ts';
import { emptyState } from '../../src/sandbox/state.ts';
import { SandboxTime } from '../../src/sandbox/time.ts';
import { Tokens } from '../../src/sandbox/tokens.ts';
import { Webhooks } from '../../src/sandbox/webhooks.ts';
import { DUPLICATE, HandClock, openBench, text } from './fixture.ts';

test('P1 a good key is charged: paid, with every field of the schema', async () => {
  const bench = await openBench();
  const now = Math.floor(bench.clock.nowMs() / 1_000);
  const answer = await bench.again({ buyer_name: '홍길동', custom_data: '{"period":"2027-01-31"}' });
  expect(answer).toMatchObject({ status: 200, code: 0, message: null });
  expect(answer.response).toMatchObject({
    imp_uid: expect.stringMatching(/^imps_\d{12}$/),
    merchant_uid: 'order-1',
    status: 'paid',
    channel: 'api',
    pay_method: 'card',
    customer_uid: 'card-1',
    customer_uid_usage: 'payment',
    amount: 9_900,
    cancel_amount: 0,
    cancel_history: [],
    currency: 'KRW',
    started_at: now,
    paid_at: now,
    failed_at: 0,
    cancelled_at: 0,
    fail_reason: null,
    sandbox: true,
    card_number: '400000******0001',
    buyer_name: '홍길동',
    buyer_email: null,
    custom_data: '{"period":"2027-01-31"}',
  });
  expect(Object.keys(Object(answer.response)).sort()).toEqual([...PAYMENT_FIELDS].sort());
});

test('P2 a declined card answers code 0 with a failed payment and the words of the payment company', async () => {
  const bench = await openBench();
  await bench.store('card-1', 'decline_funds');
  expect(await bench.again()).toMatchObject({
    status: 200,
    code: 0,
    message: null,
    response: {
      status: 'failed',
      fail_reason: '[2116]개인 월 한도금액 초과',
      paid_at: 0,
      failed_at: expect.any(Number),
    },
  });
});

test.each([true, false])('P3 a decline may answer code -1 and no payment, a failed record left: %p', async (left) => {
  const bench = await openBench({ modes: { declineShape: 'error', errorLeavesRecord: left } });
  await bench.store('card-1', 'decline_funds');
  expect(await bench.again()).toMatchObject({
    status: 200,
    code: -1,
    message: '결제승인에 실패하였습니다. [2116]개인 월 한도금액 초과',
    response: null,
  });
  expect((await bench.get('/payments/find/order-1')).status).toBe(left ? 200 : 404);
});

test.each([1, -1] as const)('P4 an unknown customer_uid is refused with code %i by mode', async (unknownBuyerCode) => {
  const bench = await openBench({ modes: { unknownBuyerCode } });
  expect(await bench.again({ customer_uid: 'nobody' })).toMatchObject({
    status: 200,
    code: unknownBuyerCode,
    message: '등록되지 않은 구매자입니다.',
    response: null,
  });
});

test('P5 a merchant_uid that was paid is refused and leaves no further record', async () => {
  const bench = await openBench();
  await bench.again();
  expect(await bench.again()).toMatchObject(DUPLICATE);
  expect(await bench.get('/payments/findAll/order-1')).toMatchObject({ response: { total: 1 } });
});

test.each([
  ['P6', 'whole', 9_900],
  ['P7', 'in part', 100],
])('%s a merchant_uid that was cancelled %s is refused', async (_id, _how, amount) => {
  const bench = await openBench();
  await bench.again();
  await bench.post('/payments/cancel', { merchant_uid: 'order-1', amount });
  expect(await bench.again()).toMatchObject(DUPLICATE);
});

test('P8 a merchant_uid that only failed before is charged again, as a second record', async () => {
  const bench = await openBench();
  await bench.store('card-1', 'funds_then_approve');
  const failed = await bench.again();
  const paid = await bench.again();
  expect([failed.response, paid.response]).toMatchObject([{ status: 'failed' }, { status: 'paid' }]);
  expect(text(paid, 'imp_uid')).not.toBe(text(failed, 'imp_uid'));
  expect(await bench.get('/payments/findAll/order-1')).toMatchObject({
    response: { total: 2, list: [{ status: 'paid' }, { status: 'failed' }] },
  });
});

test('P8 by mode any merchant_uid that was used is refused, or none is', async () => {
  const strict = await openBench({ modes: { duplicateUid: 'refuse-any-used' } });
  await strict.store('card-1', 'funds_then_approve');
  await strict.again();
  expect(await strict.again()).toMatchObject(DUPLICATE);
  const lax = await openBench({ modes: { duplicateUid: 'accept' } });
  await lax.again();
  expect(await lax.again()).toMatchObject({ code: 0, response: { status: 'paid' } });
});

test.each([
  ['serialise', 1],
  ['both', 2],
] as const)('P9 two charges of one merchant_uid at once, %s: captured %i times', async (concurrency, captures) => {
  const core = coreWith({ concurrency, chargeLatencyMs: 1_000 });
  const both = [charge(core, ASK), charge(core, ASK)];
  core.time.moveTo(core.time.nowMs() + 1_000);
  const endings = await Promise.all(both);
  expect(endings.filter(({ kind }) => kind === 'payment')).toHaveLength(captures);
  expect(core.state.movements).toHaveLength(captures);
});

test('P13 P14 a notice_url is taken, whether the charge is paid or declined', async () => {
  const bench = await openBench();
  expect((await bench.again({ notice_url: 'http://127.0.0.1:9/hook' })).code).toBe(0);
  await bench.store('card-1', 'decline_card');
  expect((await bench.again({ notice_url: 'http://127.0.0.1:9/hook', merchant_uid: 'order-2' })).code).toBe(0);
});

test('P15 a slow payment company captures although the caller has left', async () => {
  const core = coreWith({ chargeLatencyMs: 30_000 });
  void charge(core, ASK);
  expect(core.state.movements).toEqual([]);
  core.time.moveTo(core.time.nowMs() + 30_000);
  await Promise.resolve();
  expect(core.state.movements).toHaveLength(1);
});

test.each([
  ['P24 P26 a failed payment', 'flip_to_paid', 'failed'],
  ['P25 a pending payment', 'pending_then_paid', 'ready'],
])('%s turns paid after a while', async (_rule, card, status) => {
  const bench = await openBench();
  await bench.store('card-1', card);
  expect(await bench.again()).toMatchObject({ code: 0, response: { status, paid_at: 0 } });
  const due = Math.floor(bench.clock.nowMs() / 1_000) + 3;
  await bench.pass(60_000);
  expect(await bench.get('/payments/find/order-1')).toMatchObject({
    response: { status: 'paid', paid_at: due, failed_at: 0, fail_reason: null },
  });
});

function coreWith(modes: Partial<SandboxModes>): Core {
  const time = new SandboxTime(new HandClock(), 0);
  const tokens = new Tokens(new Map());
  const faults = new Faults();
  const webhooks = new Webhooks();
  const parts = { state: emptyState(), ledger: memoryLedger, time, tokens, faults, webhooks, held: () => undefined };
  return { ...parts, modes: { ...DEFAULT_MODES, ...modes } };
}

const ASK: ChargeAsk = {
  merchantUid: 'order-1',
  customerUid: 'card-1',
  usage: 'payment',
  amount: { minor: 9_900, currency: 'KRW' },
  card: { name: 'approve', masked: '400000******0001' },
  pgProvider: 'nice',
  pgId: 'iamport01m',
  name: null,
  buyer: { name: null, tel: null, email: null, addr: null, postcode: null },
  cardQuota: 0,
  customData: null,
  noticeUrl: null,
  userAgent: null,
  cause: { by: 'request', serial: null },
  detour: null,
  atMs: null,
};

/** `PaymentAnnotation` of the V1 schema. */
const PAYMENT_FIELDS = `imp_uid merchant_uid pay_method channel pg_provider emb_pg_provider pg_tid pg_id sandbox escrow
  apply_num bank_code bank_name card_code card_name card_issuer_code card_issuer_name card_publisher_code
  card_publisher_name card_quota card_number card_type vbank_code vbank_name vbank_num vbank_holder vbank_date
  vbank_issued_at name amount cancel_amount currency buyer_name buyer_email buyer_tel buyer_addr buyer_postcode
  custom_data user_agent status started_at paid_at failed_at cancelled_at fail_reason cancel_reason receipt_url
  cancel_history deposit_history cancel_receipt_urls cash_receipt_issued customer_uid customer_uid_usage
  promotion`.split(/\s+/);
