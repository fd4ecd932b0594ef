import { createHmac } from 'node:crypto';
import type { ChargeRequest } from '../../src/billing/charge.ts';
import { type MerchantUid, merchantUid } from '../../src/billing/ids.ts';
import { money } from '../../src/billing/money.ts';

/** An id like the real ones, the same for the same name. */
export function uidOf(name: string): MerchantUid {
  return merchantUid((message) => createHmac('sha256', 'test').update(message).digest(), 'test', name, '2027-01-31', 1);
}

/** ₩9,900 on `card-1`. */
export function chargeRequest(fields: Partial<ChargeRequest> = {}): ChargeRequest {
  return {
    merchantUid: uidOf('sub-1'),
    customerUid: 'card-1',
    amount: money(9_900, 'KRW'),
    taxFreeMinor: 0,
    vatMinor: null,
    name: '월간 구독',
    buyerName: null,
    buyerEmail: null,
    buyerTel: null,
    customData: '{"subscription":"sub-1","period":"2027-01-31","invoice":"3f0c","attempt":1}',
    ...fields,
  };
}

/** No time is lost between an intent and its call. */
export const ALWAYS = (): boolean => true;
