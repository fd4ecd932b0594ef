import type { PaymentAnswer } from '../../billing/cancel.ts';
import type { Get } from './authorized-get.ts';
import type { DeclineLines } from './declines/lines.ts';
import { readCancellations, readEnvelope, readPayment, refusalIn } from './wire.ts';

/**
 * One payment by its `imp_uid`: `GET /payments/{imp_uid}`. Without `include_sandbox` a payment of a test channel is
 * answered 404 there, as if it did not exist (fact sheet §3.5).
 */
export async function readOnePayment(get: Get, impUid: string, lines: DeclineLines): Promise<PaymentAnswer> {
  const answer = await get(`/payments/${encodeURIComponent(impUid)}?include_sandbox=true`);
  if (answer.kind === 'unclear') return answer;
  const envelope = readEnvelope(answer);
  if (answer.status === 404 && refusalIn(envelope) !== null) return { kind: 'absent' };
  const record = answer.status === 200 && envelope?.code === 0 ? readPayment(envelope.response, lines) : null;
  if (record === null) return { kind: 'unclear', reason: `answered HTTP ${answer.status} without a payment` };
  if (record.impUid !== impUid) return { kind: 'unclear', reason: 'answered for another payment' };
  return { kind: 'found', record, cancellations: readCancellations(envelope?.response) };
}
