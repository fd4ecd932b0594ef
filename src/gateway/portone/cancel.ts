import type { CancelAnswer, CancelRequest } from '../../billing/cancel.ts';
import { assertNever } from '../../billing/errors.ts';
import { toMajor } from '../../billing/money.ts';
import { NO_LINES } from './declines/lines.ts';
import type { Answer, Exchange } from './exchange.ts';
import { plainText } from './text.ts';
import { readCancellations, readEnvelope, readPayment, refusalIn } from './wire.ts';

/** Where money is given back (fact sheet §3.6). */
export const CANCEL = '/payments/cancel';

/** Amounts in major units. The payment is named by its `imp_uid` alone: one `merchant_uid` may have several. */
export function cancelBody({ impUid, amount, checksum, reason }: CancelRequest): Record<string, string | number> {
  return { imp_uid: impUid, amount: toMajor(amount), checksum: toMajor(checksum), reason };
}

/**
 * What one POST to `/payments/cancel` came to. Pure and total: any status, any headers, any bytes give one class. `done`
 * only where the answer holds the payment itself as cancelled; whether by as much as was asked is for the core to see.
 */
export function classifyCancel(exchange: Exchange, impUid: string): CancelAnswer {
  switch (exchange.kind) {
    case 'not-sent':
      return { kind: 'not-sent', reason: exchange.reason };
    case 'lost':
      return { kind: 'unknown', reason: exchange.reason };
    case 'answer':
      return classifyAnswer(exchange, impUid);
    default:
      return assertNever(exchange);
  }
}

function classifyAnswer(answer: Answer, impUid: string): CancelAnswer {
  const envelope = readEnvelope(answer);
  const refusal = refusalIn(envelope);
  if (answer.status === 401 && refusal !== null) return { kind: 'unauthorized', reason: 'the token was refused' };
  if (answer.status !== 200) return { kind: 'unknown', reason: `answered HTTP ${answer.status}` };
  if (envelope === null) return { kind: 'unknown', reason: "the answer is not in the gateway's shape" };
  if (refusal !== null) return { kind: 'refused', reason: plainText(refusal) || 'the gateway gave no reason' };
  const record = readPayment(envelope.response, NO_LINES); // a decline is no answer to a cancel
  if (record === null) return { kind: 'unknown', reason: 'the answer holds no readable payment' };
  if (record.impUid !== impUid) return { kind: 'unknown', reason: 'answered for another payment' };
  if (envelope.code !== 0) return { kind: 'unknown', reason: 'both an error and a payment were answered' };
  if (record.status !== 'cancelled' || record.cancelMinor === 0) {
    return { kind: 'unknown', reason: `the payment is '${String(record.raw.status)}' still` }; // pending at some companies
  }
  return { kind: 'done', record, cancellations: readCancellations(envelope.response) };
}
