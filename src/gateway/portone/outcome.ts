import type { ChargeAnswer, PaymentRecord } from '../../billing/charge.ts';
import { assertNever } from '../../billing/errors.ts';
import { declineOf, isDuplicateRefusal } from './decline-codes.ts';
import type { DeclineLines } from './declines/lines.ts';
import type { Answer, Exchange } from './exchange.ts';
import { restSeconds } from './retry-after.ts';
import { readEnvelope, readPayment, refusalIn } from './wire.ts';

/**
 * What one POST to `/subscribe/payments/again` came to, by the table of protocol §2.5. Pure and total: any status, any
 * headers, any bytes give one class, and whatever is not in the table is `unknown`. Amount, currency and sandbox flag
 * are for the core to compare; a record of another `merchant_uid` is `unknown` here already.
 */
export function classify(exchange: Exchange, merchantUid: string, lines: DeclineLines): ChargeAnswer {
  switch (exchange.kind) {
    case 'not-sent':
      return { kind: 'not-sent', reason: exchange.reason };
    case 'lost':
      return { kind: 'unknown', reason: exchange.reason };
    case 'answer':
      return classifyAnswer(exchange, merchantUid, lines);
    default:
      return assertNever(exchange);
  }
}

function classifyAnswer(answer: Answer, merchantUid: string, lines: DeclineLines): ChargeAnswer {
  const envelope = readEnvelope(answer);
  const refusal = refusalIn(envelope);
  if (answer.status === 401 && refusal !== null) return { kind: 'unauthorized', reason: 'the token was refused' };
  if (answer.status === 429) {
    return { kind: 'unknown', reason: 'answered HTTP 429', restSeconds: restSeconds(answer.headers) };
  }
  if (answer.status !== 200) return { kind: 'unknown', reason: `answered HTTP ${answer.status}` };
  if (envelope === null) return { kind: 'unknown', reason: "the answer is not in the gateway's shape" };
  if (refusal !== null) {
    return { kind: 'refused', duplicate: isDuplicateRefusal(refusal), decline: declineOf(refusal, null, lines) };
  }
  const record = readPayment(envelope.response, lines);
  if (record === null) return { kind: 'unknown', reason: 'the answer holds no readable payment' };
  // The foreign record is dropped: nobody shall take it for a fact about this attempt.
  if (record.merchantUid !== merchantUid) return { kind: 'unknown', reason: 'answered for another merchant_uid' };
  if (envelope.code !== 0) return { kind: 'unknown', reason: 'both an error and a payment were answered', record };
  return classifyRecord(record);
}

function classifyRecord(record: PaymentRecord): ChargeAnswer {
  if (record.status === 'paid') return { kind: 'paid', record };
  if (record.decline !== null) return { kind: 'declined', record, decline: record.decline };
  return { kind: 'unknown', reason: `the payment is '${String(record.raw.status)}'`, record };
}
