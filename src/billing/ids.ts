import { InputError } from './errors.ts';

declare const brand: unique symbol;
type Id<Name extends string> = string & { readonly [brand]: Name };

/** Row id of an invoice (UUID). */
export type InvoiceId = Id<'Invoice'>;
/** Row id of an attempt (UUID). */
export type AttemptId = Id<'Attempt'>;
/** `merchant_uid` at PortOne: 32 lower-case letters and digits. */
export type MerchantUid = Id<'MerchantUid'>;

/** HMAC-SHA256 under the installation's secret; passed in, so that the core stays free of crypto. */
export type Hmac = (message: string) => Uint8Array;

/** Reads an invoice id that came from outside (CLI, URL). Throws InputError. */
export function parseInvoiceId(raw: string): InvoiceId {
  if (!UUID.test(raw))
    throw new InputError(`'${raw}' is not an invoice id`, 'copy it from /v1/invoices or the console');
  return raw.toLowerCase() as InvoiceId;
}

/** Reads an attempt id that came from outside (a queue's job). Throws InputError. */
export function parseAttemptId(raw: string): AttemptId {
  if (!UUID.test(raw))
    throw new InputError(`'${raw}' is not an attempt id`, 'remove the job; the scheduler rings again');
  return raw.toLowerCase() as AttemptId;
}

/**
 * The `merchant_uid` of an attempt: 4 letters of the installation, 26 characters base32 of the HMAC's first 128 bits,
 * 2 characters of attempt number. 32 lower-case letters and digits: PortOne takes 40, Smartro letters and digits only.
 *
 * It follows from the merchant's own subscription id and the period's key, so that a database restored from a backup
 * computes the ids that the gateway already knows; keyed, because PortOne's browser SDK would let a stranger occupy
 * an id that can be guessed. Throws RangeError for an attempt number outside 1…1296 (36²).
 */
export function merchantUid(
  hmac: Hmac,
  installation: string,
  subscription: string,
  periodKey: string,
  attemptNumber: number,
): MerchantUid {
  if (!/^[a-z]{4}$/.test(installation)) throw new RangeError(`'${installation}' is not four lower-case letters`);
  if (!Number.isInteger(attemptNumber) || attemptNumber < 1 || attemptNumber > MOST_NUMBERS) {
    throw new RangeError(`${attemptNumber} is not an attempt number between 1 and ${MOST_NUMBERS}`);
  }
  // Length first: no two different pairs give the same message.
  const digest = hmac(`merchant_uid\n${subscription.length}\n${subscription}\n${periodKey}`);
  if (digest.length < 16) throw new RangeError(`the HMAC has ${digest.length} bytes; 16 are needed`);
  const number = (attemptNumber - 1).toString(36).padStart(2, '0');
  return `${installation}${base32(digest.slice(0, 16))}${number}` as MerchantUid;
}

/** Whether an id is of the form that this installation gives, so that nobody else's order number is taken for ours. */
export function isMerchantUid(text: string, installation: string): boolean {
  return text.startsWith(installation) && /^[a-z]{4}[a-z2-7]{26}[0-9a-z]{2}$/.test(text);
}

/** The four letters that mark this installation's ids: derived from its secret, the same for ever. */
export function installationPrefix(hmac: Hmac): string {
  return Array.from(hmac('installation prefix').slice(0, 4), (byte) => LETTERS.charAt(byte % 26)).join('');
}

function base32(bytes: Uint8Array): string {
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  bits <<= 2n; // 128 bits fill 25.6 characters; two zero bits complete the 26th
  return Array.from({ length: 26 }, (_, index) => BASE32.charAt(Number((bits >> BigInt(125 - index * 5)) & 31n))).join(
    '',
  );
}

/** The highest number that an attempt may have: two characters of its id. */
export const MOST_NUMBERS = 36 * 36;
/** The form of the ids of rows. */
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
