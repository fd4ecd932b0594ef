import type { MerchantUid } from '../../../../src/billing/ids.ts';

/** A `merchant_uid` as the database hands it back. Throws where the column's own check would. */
export function merchantUidOf(text: string): MerchantUid {
  if (!/^[a-z0-9]{1,40}$/.test(text)) throw new Error(`'${text}' is no merchant_uid`);
  return text as MerchantUid;
}
