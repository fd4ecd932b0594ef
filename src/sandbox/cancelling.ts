import { type Core, cancelOf, record } from './core.ts';
import type { Payment } from './entry.ts';
import { Refusal } from './envelope.ts';
import { type Fields, optionalAmount, optionalText } from './fields.ts';
import { cancelledMinor } from './standing.ts';
import { paymentsOf } from './state.ts';

/** Cancels a payment, whole or in part, and returns it as it then stands. Throws Refusal. */
export function cancelPayment(core: Core, fields: Fields): Payment {
  const payment = findCancellable(core, fields);
  const remaining = payment.minor - cancelledMinor(payment);
  if (remaining === 0) throw refused('이미 전액취소된 주문입니다.');
  const checksum = optionalAmount(fields, 'checksum', payment.currency);
  if (checksum !== null && checksum.minor !== remaining) throw refused('checksum과 취소가능금액이 일치하지 않습니다.');
  const asked = optionalAmount(fields, 'amount', payment.currency)?.minor ?? 0;
  if (asked > remaining) throw refused('취소요청금액이 취소가능금액보다 큽니다.');
  const reason = optionalText(fields, 'reason');
  if (reason === null && payment.pgProvider === 'naverpay') throw refused('reason 파라메터가 누락되었습니다.');
  if (core.modes.dailyAutoCancel && isReversed(payment, core.time.nowMs())) throw refused('기 취소 거래');
  record(core, {
    kind: 'cancelled',
    impUid: payment.impUid,
    cancel: cancelOf(payment, {
      minor: asked === 0 ? remaining : asked,
      reason: reason ?? '',
      atMs: core.time.nowMs(),
    }),
  });
  return core.state.payments.get(payment.impUid) ?? payment;
}

/** imp_uid wins: when it is wrong, a right merchant_uid does not help (R15). */
function findCancellable(core: Core, fields: Fields): Payment {
  const impUid = optionalText(fields, 'imp_uid');
  const merchantUid = optionalText(fields, 'merchant_uid');
  if (impUid === null && merchantUid === null) {
    throw refused('취소할 imp_uid 또는 merchant_uid를 지정해주셔야합니다.');
  }
  const named =
    impUid === null ? paymentsOf(core.state, merchantUid ?? '') : [core.state.payments.get(impUid) ?? []].flat();
  const captured = named.filter((payment) => payment.paidAtMs !== null);
  const payment = captured.findLast((each) => cancelledMinor(each) < each.minor) ?? captured.at(-1);
  if (payment === undefined) throw refused('취소할 결제건이 존재하지 않습니다.');
  return payment;
}

/** Whether 23:30 in Korea has come since the capture: then the payment company has given the money back (R18). */
function isReversed(payment: Payment, nowMs: number): boolean {
  return payment.paidAtMs !== null && runsUntil(payment.paidAtMs) < runsUntil(nowMs);
}

/** How many of the daily runs, at 14:30 UTC, lie before an instant. */
function runsUntil(ms: number): number {
  return Math.floor((ms - RUN_AT_UTC_MS) / DAY_MS);
}

function refused(message: string): Refusal {
  return new Refusal(200, 1, message);
}

const RUN_AT_UTC_MS = 14.5 * 3_600_000;
const DAY_MS = 86_400_000;
