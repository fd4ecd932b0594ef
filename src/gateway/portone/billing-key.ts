import type { BillingKeyAnswer } from '../../billing/charge.ts';
import type { Get } from './authorized-get.ts';
import { maskedCardNumber, oneLine } from './text.ts';
import { readCustomer, readEnvelope, refusalIn } from './wire.ts';

/**
 * What is stored under a `customer_uid`: `GET /subscribe/customers/{customer_uid}`. An unknown one was seen answered as
 * 200 with a sentence and is documented as 404 (fact sheet §2.4): both are `absent`. Any other refusal is `unclear`.
 */
export async function readBillingKey(get: Get, customerUid: string): Promise<BillingKeyAnswer> {
  const answer = await get(`/subscribe/customers/${encodeURIComponent(customerUid)}`);
  if (answer.kind === 'unclear') return answer;
  const envelope = readEnvelope(answer);
  const refusal = refusalIn(envelope);
  if (refusal !== null && (answer.status === 404 || (answer.status === 200 && isUnknownKey(refusal)))) {
    return { kind: 'absent' };
  }
  const customer = answer.status === 200 && envelope?.code === 0 ? readCustomer(envelope.response) : null;
  if (customer === null) return { kind: 'unclear', reason: `answered HTTP ${answer.status} without a billing key` };
  if (customer.customer_uid !== customerUid) return { kind: 'unclear', reason: 'answered for another customer_uid' };
  return {
    kind: 'found',
    sandbox: customer.sandbox ?? null,
    pgProvider: customer.pg_provider == null ? null : oneLine(customer.pg_provider),
    cardName: customer.card_name == null ? null : oneLine(customer.card_name),
    cardNumberMasked: maskedCardNumber(customer.card_number),
  };
}

function isUnknownKey(message: string): boolean {
  return /등록된정보를찾을수없습니다|등록되지않은(구매자|사용자)/u.test(message.replace(/\s+/gu, ''));
}
